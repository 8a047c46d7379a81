-- What a matching does in the background (R45-R47): people of linked clients, and names that look alike.

-- Links client users with the contacts of the account that their client is linked with, by e-mail (R45).  An e-mail that stands
-- twice on either side says nothing.  Argument client: that one's only; NULL: all.  Result: how many were linked.
CREATE OR REPLACE FUNCTION crm_bridge._match_client_users(client uuid, org_id bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _match_client_users.org_id;
  made bigint;
BEGIN
  WITH pair AS (
    SELECT l.left_id AS account_id, l.right_id AS client_id FROM crm_bridge.link AS l
     WHERE l.org_id = org AND l.pairing = 'account_client' AND l.state = 'active'
       AND (_match_client_users.client IS NULL OR l.right_id = _match_client_users.client)
  ), of_accounts AS (
    SELECT p.client_id, crm_bridge.name_key(c.email) AS address, count(*) AS standing, (array_agg(c.id))[1] AS id
      FROM pair AS p
      JOIN crm_bridge.crm_contact AS c ON c.org_id = org AND c.account_id = p.account_id AND c.email <> ''
     GROUP BY 1, 2
  ), of_clients AS (
    SELECT p.client_id, crm_bridge.name_key(u.email) AS address, count(*) AS standing, (array_agg(u.id))[1] AS id
      FROM pair AS p
      JOIN crm_bridge.projects_client_user AS u ON u.org_id = org AND u.client_id = p.client_id AND u.email <> ''
     GROUP BY 1, 2
  )
  INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id)
  SELECT org, 'contact_client_user', a.id, c.id
    FROM of_accounts AS a
    JOIN of_clients AS c ON c.client_id = a.client_id AND c.address = a.address
   WHERE a.standing = 1 AND c.standing = 1 AND a.address <> ''
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                      WHERE l.org_id = org AND l.left_id = a.id AND l.pairing = 'contact_client_user' AND l.state <> 'archived')
     AND NOT EXISTS (SELECT 1 FROM crm_bridge.link AS l
                      WHERE l.org_id = org AND l.right_id = c.id AND l.pairing = 'contact_client_user' AND l.state <> 'archived');
  GET DIAGNOSTICS made = ROW_COUNT;
  RETURN made;
END
$$;
COMMENT ON FUNCTION crm_bridge._match_client_users(uuid, bigint) IS 'links client users with contacts of the linked account by e-mail (R45)';
REVOKE ALL ON FUNCTION crm_bridge._match_client_users(uuid, bigint) FROM PUBLIC;

-- The name without the words that say what kind of company it is.  Argument: a name's key.
CREATE OR REPLACE FUNCTION crm_bridge._bare_name(name_key text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN btrim(regexp_replace(regexp_replace(translate(name_key, '.,', ''),
    '( (& )?(ab|ag|a/s|aps|as|bv|co|company|corp|corporation|doo|gmbh|inc|incorporated|kft|kg|kgaa|kk|limited|llc|llp|lp|ltd|ltda|mbh|nv|ohg|oy|oyj|plc|private|pte|pty|pvt|sa|sarl|sas|se|sl|spa|sp z ?oo|srl|sro|ug|ао|оао|ооо|пао|зао))+$', ''),
    '^(株式会社|有限会社|合同会社|\(株\)|\(有\)|주식회사|\(주\)|ооо|оао|пао|зао|ао) ?|(股份有限公司|有限公司|株式会社|有限会社|合同会社|\(株\)|\(有\)|주식회사|\(주\))$', '', 'g'));
END
$$;
COMMENT ON FUNCTION crm_bridge._bare_name(text) IS 'a name''s key without Ltd, GmbH, 株式会社 and their like';
REVOKE ALL ON FUNCTION crm_bridge._bare_name(text) FROM PUBLIC;

-- The host of a web address, without www; NULL where there is none.
CREATE OR REPLACE FUNCTION crm_bridge._website_host(website text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN substring(lower(website) FROM '^\s*(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?:www\.)?([^/:?#\s]+\.[^/:?#.\s]+)');
END
$$;
COMMENT ON FUNCTION crm_bridge._website_host(text) IS 'the host of a web address, without www';
REVOKE ALL ON FUNCTION crm_bridge._website_host(text) FROM PUBLIC;

-- Accounts that may be meant by clients to whose name there is none: proposed, never linked (D6).  For ten thousand such clients
-- at most, three accounts each; each client is compared with accounts near it in the index of names only.
-- Result: how many clients have a proposal.
CREATE OR REPLACE FUNCTION crm_bridge._propose_look_alikes(run uuid, org_id bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := _propose_look_alikes.org_id;
  lonely uuid[];
  trigrams name;
BEGIN
  DELETE FROM crm_bridge.match_result AS r WHERE r.org_id = org;
  lonely := ARRAY(SELECT r.client_id FROM crm_bridge.client_match_report AS r
                   WHERE r.org_id = org AND r.side = 'client' AND r.reason = 'no_account_of_that_name' LIMIT 10000);
  IF cardinality(lonely) = 0 THEN
    RETURN 0;
  END IF;

  INSERT INTO crm_bridge.match_result (org_id, client_id, account_id, run_id, reason, score)
  SELECT org, c.id, a.id, run, 'legal_form_differs', 0.9
    FROM crm_bridge.projects_client AS c
   CROSS JOIN LATERAL (SELECT crm_bridge._bare_name(c.name_key) AS bare) AS b
   CROSS JOIN LATERAL (
         (SELECT x.id, x.name_key FROM crm_bridge.crm_account AS x
           WHERE x.org_id = org AND x.name_key >= b.bare AND x.name_key < b.bare || E'\U0010FFFF' ORDER BY x.name_key LIMIT 50)
          UNION
         (SELECT x.id, x.name_key FROM crm_bridge.crm_account AS x
           WHERE x.org_id = org AND x.name_key = ANY (ARRAY['株式会社' || b.bare, '株式会社 ' || b.bare, '(株)' || b.bare, '有限会社' || b.bare,
                                                            '주식회사 ' || b.bare, '(주)' || b.bare, 'ооо ' || b.bare, 'пао ' || b.bare]) LIMIT 10)) AS a
   WHERE c.org_id = org AND c.id = ANY (lonely) AND b.bare <> '' AND crm_bridge._bare_name(a.name_key) = b.bare;

  INSERT INTO crm_bridge.match_result (org_id, client_id, account_id, run_id, reason, score)
  SELECT org, c.id, a.id, run, 'same_website_host', 0.8
    FROM crm_bridge.projects_client AS c
    -- A host that many accounts have says nothing of any.
    JOIN (SELECT crm_bridge._website_host(x.website) AS host, array_agg(x.id) AS ids FROM crm_bridge.crm_account AS x
           WHERE x.org_id = org AND x.website <> '' GROUP BY 1 HAVING count(*) <= 3) AS h
      ON h.host = crm_bridge._website_host(c.website)
   CROSS JOIN LATERAL unnest(h.ids) AS a (id)
   WHERE c.org_id = org AND c.id = ANY (lonely)
  ON CONFLICT ON CONSTRAINT match_result_key DO NOTHING;

  -- Only the function that a superuser made: this one runs with its owner's rights, and the extension's schema may be anybody's.
  SELECT n.nspname INTO trigrams
    FROM pg_extension AS e
    JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc AS p ON p.oid = d.objid AND p.proname = 'similarity' AND p.proargtypes = '25 25'::oidvector
    JOIN pg_language AS g ON g.oid = p.prolang AND g.lanname = 'c'
    JOIN pg_namespace AS n ON n.oid = p.pronamespace
   WHERE e.extname = 'pg_trgm' AND d.deptype = 'e';
  IF FOUND THEN
    EXECUTE format(
      'INSERT INTO crm_bridge.match_result (org_id, client_id, account_id, run_id, reason, score)
       SELECT $1, c.id, a.id, $2, ''similar_name'', s.score
         FROM crm_bridge.projects_client AS c
        CROSS JOIN LATERAL (SELECT left(split_part(crm_bridge._bare_name(c.name_key), '' '', 1), 4) AS first) AS f
        CROSS JOIN LATERAL (SELECT x.id, x.name_key FROM crm_bridge.crm_account AS x
                             WHERE x.org_id = $1 AND x.name_key >= f.first AND x.name_key < f.first || E''\U0010FFFF''
                             ORDER BY x.name_key LIMIT 200) AS a
        CROSS JOIN LATERAL (SELECT %I.similarity(c.name_key, a.name_key) AS score) AS s
        WHERE c.org_id = $1 AND c.id = ANY ($3) AND f.first <> '''' AND s.score >= 0.5
       ON CONFLICT ON CONSTRAINT match_result_key DO NOTHING', trigrams) USING org, run, lonely;
  END IF;

  -- What is linked already is not free to be meant.
  DELETE FROM crm_bridge.match_result AS r
   USING (SELECT m.client_id, m.account_id, row_number() OVER (PARTITION BY m.client_id ORDER BY taken.link_id IS NOT NULL, m.score DESC, m.account_id) AS place,
                 taken.link_id IS NOT NULL AS is_taken
            FROM crm_bridge.match_result AS m
            LEFT JOIN crm_bridge.link AS taken ON taken.org_id = org AND taken.left_id = m.account_id AND taken.pairing = 'account_client'
                                              AND taken.state <> 'archived'
           WHERE m.org_id = org) AS ranked
   WHERE r.org_id = org AND r.client_id = ranked.client_id AND r.account_id = ranked.account_id AND (ranked.place > 3 OR ranked.is_taken);
  RETURN (SELECT count(DISTINCT r.client_id) FROM crm_bridge.match_result AS r WHERE r.org_id = org);
END
$$;
COMMENT ON FUNCTION crm_bridge._propose_look_alikes(uuid, bigint) IS 'proposes accounts for clients to whose name there is none (D6)';
REVOKE ALL ON FUNCTION crm_bridge._propose_look_alikes(uuid, bigint) FROM PUBLIC;

CREATE VIEW crm_bridge.project_contact WITH (security_invoker = true) AS
  SELECT p.org_id, p.id AS project_id, p.name AS project, c.id AS contact_id, concat_ws(' ', c.first_name, c.last_name) AS contact,
         c.email, c.account_id, m.client_user_id, now() AS as_of
    FROM crm_bridge.projects_project AS p
   CROSS JOIN LATERAL unnest(p.client_user_ids) AS m (client_user_id)
   CROSS JOIN LATERAL (SELECT l.left_id FROM crm_bridge.link AS l
                        WHERE l.org_id = p.org_id AND l.right_id = m.client_user_id AND l.pairing = 'contact_client_user' AND l.state = 'active' LIMIT 1) AS l
   CROSS JOIN LATERAL (SELECT x.* FROM crm_bridge.crm_contact AS x WHERE x.org_id = p.org_id AND x.id = l.left_id LIMIT 1) AS c;
COMMENT ON VIEW crm_bridge.project_contact IS 'the contacts of the CRM that are associated with a project: its client users'' twins (R47)';
COMMENT ON COLUMN crm_bridge.project_contact.org_id IS 'the organization';
COMMENT ON COLUMN crm_bridge.project_contact.project_id IS 'the project';
COMMENT ON COLUMN crm_bridge.project_contact.project IS 'its name';
COMMENT ON COLUMN crm_bridge.project_contact.contact_id IS 'the contact';
COMMENT ON COLUMN crm_bridge.project_contact.contact IS 'first and last name';
COMMENT ON COLUMN crm_bridge.project_contact.email IS 'e-mail address';
COMMENT ON COLUMN crm_bridge.project_contact.account_id IS 'the contact''s account';
COMMENT ON COLUMN crm_bridge.project_contact.client_user_id IS 'the same person in Projects';
COMMENT ON COLUMN crm_bridge.project_contact.as_of IS 'when this was read';
