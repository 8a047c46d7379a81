-- Matching clients of Projects with accounts of the CRM (R37-R47): what was decided, and what is proposed.

-- Once for each link to a portal (R43): the row goes when the portal's link ends (R44).
CREATE TABLE crm_bridge.client_matching (
  org_id      bigint      NOT NULL,
  state       text        NOT NULL,
  run_id      uuid,
  command_id  uuid,
  decided_at  timestamptz NOT NULL DEFAULT now(),
  decided_by  text        NOT NULL DEFAULT crm_bridge.calling_role(),
  CONSTRAINT client_matching_key PRIMARY KEY (org_id),
  CONSTRAINT client_matching_state_known CHECK (state IN ('matched', 'skipped')),
  CONSTRAINT client_matching_matched_by_a_run CHECK ((state = 'matched') = (run_id IS NOT NULL AND command_id IS NOT NULL))
);
COMMENT ON TABLE crm_bridge.client_matching IS
  'what was decided on matching clients with accounts, once for each link to a portal: no row, no decision yet';
COMMENT ON COLUMN crm_bridge.client_matching.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.client_matching.state IS 'matched (match_clients) or skipped (skip_client_matching)';
COMMENT ON COLUMN crm_bridge.client_matching.run_id IS 'the run that matched; running until client users are matched and the report is queued';
COMMENT ON COLUMN crm_bridge.client_matching.command_id IS 'what the worker does of it in the background, for wait_for_command';
COMMENT ON COLUMN crm_bridge.client_matching.decided_at IS 'when it was decided last';
COMMENT ON COLUMN crm_bridge.client_matching.decided_by IS 'the role that decided';

-- Why a record is not linked follows from what there is now (client_match_report) and is not stored, or it would be wrong after
-- the next rename.  What a run alone knows is which names look alike.
CREATE TABLE crm_bridge.match_result (
  org_id      bigint      NOT NULL,
  client_id   uuid        NOT NULL,
  account_id  uuid        NOT NULL,
  run_id      uuid        NOT NULL,
  reason      text        NOT NULL,
  score       real        NOT NULL,
  CONSTRAINT match_result_key PRIMARY KEY (org_id, client_id, account_id),
  CONSTRAINT match_result_reason_known CHECK (reason IN ('legal_form_differs', 'same_website_host', 'similar_name')),
  CONSTRAINT match_result_score_is_a_share CHECK (score BETWEEN 0 AND 1)
);
COMMENT ON TABLE crm_bridge.match_result IS
  'look-alikes of clients without an account, of the last matching: proposed, never linked by themselves (D6)';
COMMENT ON COLUMN crm_bridge.match_result.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.match_result.client_id IS 'the client';
COMMENT ON COLUMN crm_bridge.match_result.account_id IS 'an account that may be meant; link_client(client_id, account_id) links them';
COMMENT ON COLUMN crm_bridge.match_result.run_id IS 'the run that found it';
COMMENT ON COLUMN crm_bridge.match_result.reason IS 'legal_form_differs, same_website_host or similar_name (pg_trgm)';
COMMENT ON COLUMN crm_bridge.match_result.score IS 'how alike, from 0 to 1';
