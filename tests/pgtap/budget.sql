-- SPDX-License-Identifier: PostgreSQL
-- Budgets: in no stretch of a period is more handed out than a service takes, and everybody can see what is left (B10).
BEGIN;
\ir fixture/tools.psql
\ir fixture/organization.psql
SELECT plan(33);

CREATE ROLE budget_worker;
CREATE ROLE budget_analyst;
CREATE ROLE budget_administrator;
SELECT crm_bridge.grant_worker('budget_worker');
SELECT crm_bridge.grant_analyst('budget_analyst', 1);
SELECT crm_bridge.grant_administrator('budget_administrator', 1);

-- Seconds since the test began, by the clock of budgets.
CREATE FUNCTION pg_temp.at(seconds numeric)
RETURNS text
LANGUAGE sql
AS $$ SELECT set_config('crm_bridge.clock_offset', seconds::text, true) $$;
CREATE FUNCTION pg_temp.take(wanted integer, at_least integer DEFAULT 1, pattern text DEFAULT 'POST /a')
RETURNS integer
LANGUAGE sql
AS $$ SELECT granted FROM crm_bridge.take_budget('zoho_projects', pattern, wanted, at_least, configured => 100, per => '2 minutes', org_id => 1) $$;
CREATE FUNCTION pg_temp.take_all(pattern text DEFAULT 'POST /a')
RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
  granted integer;
  total integer := 0;
BEGIN
  LOOP
    granted := pg_temp.take(100, 1, pattern);
    EXIT WHEN granted = 0;
    total := total + granted;
  END LOOP;
  RETURN total;
END
$$;

-- Denials ------------------------------------------------------------------------------------------------------------

SET ROLE budget_analyst;
SELECT throws_ok($$ SELECT * FROM crm_bridge.take_budget('zoho_crm', '*', 1) $$, '42501', NULL, 'T35 an analyst takes nothing');
SELECT throws_ok($$ SELECT crm_bridge.set_budget('zoho_crm', 1, '1 day') $$, '42501', NULL, 'T35 an analyst decides nothing');
SELECT throws_ok($$ SET crm_bridge.clock_offset = 60 $$, '42501', NULL, 'B10 only a superuser moves the clock');
RESET ROLE;
SET ROLE budget_worker;
SELECT throws_ok($$ SELECT * FROM crm_bridge.budget $$, '42501', NULL, 'T35 a worker reads budgets through the protocol only');
SELECT throws_ok($$ SELECT crm_bridge.set_budget('zoho_crm', 1, '1 day', org_id => 1) $$, '42501', NULL, 'T35 a worker decides no limit');
RESET ROLE;
SELECT pg_temp.refused($$ SELECT crm_bridge.set_budget('zoho_crm', 5) $$, '22023', 'belong together', 'a limit without a period is refused');
SELECT throws_ok($$ SELECT * FROM crm_bridge.take_budget('zoho_crm', '*', -1, org_id => 1) $$, '22023', NULL, 'a negative wish is refused');

-- Windows ------------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.take(100), 25, 'B10 nobody takes all that is left: there may be others');
SELECT is(pg_temp.take_all(), 75, 'B10 the rest can be had');
SELECT is(pg_temp.take_all('POST /b'), 100, 'B10 patterns do not share');
SELECT results_eq($$ SELECT granted, retry_after BETWEEN interval '120 seconds' AND interval '133 seconds', reason
                       FROM crm_bridge.take_budget('zoho_projects', 'POST /a', 1, configured => 100, per => '2 minutes', org_id => 1) $$,
  $$ VALUES (0, true, '100 of 100 in 00:02:00 are used') $$, 'B10 who comes too late is told when to come again');
SELECT pg_temp.at(119);
SELECT is(pg_temp.take_all(), 0, 'B10 a share that is sent late counts late: nothing before the service has forgotten it');
SELECT pg_temp.at(133);
SELECT is(pg_temp.take_all(), 100, 'B10 everything is free again afterwards');

-- A share that is not used is given back; one that its worker died with lapses by itself.
SELECT pg_temp.at(300);
SELECT granted, counts_until FROM crm_bridge.take_budget('zoho_projects', 'POST /a', 20, configured => 100, per => '2 minutes', org_id => 1) \gset share_
SELECT is(:share_granted, 20, 'B10 a small wish is granted in full');
SELECT pg_temp.at(302);
SELECT is((SELECT granted FROM crm_bridge.take_budget('zoho_projects', 'POST /a', 0, 1, 15, :'share_counts_until',
             configured => 100, per => '2 minutes', org_id => 1)), 0, 'B10 giving back takes nothing');
SELECT is(pg_temp.take_all(), 95, 'B10 what was given back can be had by others');
SELECT is((SELECT granted FROM crm_bridge.take_budget('zoho_projects', 'POST /a', 1, 1, 1000, :'share_counts_until',
             configured => 100, per => '2 minutes', org_id => 1)), 1, 'B10 giving back more than was taken of a share gives no more than the share');

-- Any stretch of two minutes, whatever is asked when: shares are sent at the last moment that is allowed, plus their journey.
CREATE TEMP TABLE sent (at numeric, granted integer);
DO $$
DECLARE
  moment numeric := 1000;
  granted integer;
BEGIN
  PERFORM setseed(0.42);
  FOR step IN 1..1500 LOOP
    moment := moment + round((random() * 3)::numeric, 0);
    PERFORM pg_temp.at(moment);
    granted := pg_temp.take((1 + random() * 30)::integer, (1 + random() * 3)::integer, 'POST /c');
    -- Half of the shares leave at once, half wait until the last moment; all may travel for five seconds.
    IF granted > 0 THEN
      INSERT INTO sent VALUES (moment + CASE WHEN step % 2 = 0 THEN 10 ELSE 0 END, granted);
    END IF;
  END LOOP;
END
$$;
SELECT cmp_ok((SELECT sum(granted) FROM sent), '>', 1000::bigint, 'B10 the random takers got something');
SELECT is_empty($$ SELECT s.at, sum(o.granted) FROM (SELECT DISTINCT at FROM sent) AS s JOIN sent AS o ON o.at > s.at - 120 AND o.at <= s.at GROUP BY s.at HAVING sum(o.granted) > 100 $$,
  'B10 in no stretch of a period does the service see more than its limit, sliding or fixed');
SELECT cmp_ok((SELECT sum(granted) FROM sent)::numeric / ((SELECT max(at) - min(at) FROM sent) / 120 * 100), '>', 0.85,
  'B10 the caution costs less than a sixth of what the service takes');

-- Costs, and what the service says ------------------------------------------------------------------------------------

SELECT crm_bridge.set_budget('zoho_crm', 30, '1 day', org_id => 1);
SELECT is((SELECT array_agg(granted) FROM (SELECT (crm_bridge.take_budget('zoho_crm', '*', 10, 10, org_id => 1)).granted FROM generate_series(1, 4)) AS t),
  ARRAY[10, 10, 10, 0], 'B10 a call that costs ten credits gets ten or none');
SELECT crm_bridge.set_budget('zoho_crm', 100, '1 day', org_id => 1);
SELECT is((SELECT granted FROM crm_bridge.take_budget('zoho_crm', '*', 10, 10, remaining => 5, org_id => 1)), 0,
  'B10 what others took of an organization''s credits counts, once the service tells');
SELECT crm_bridge.set_budget('zoho_crm', org_id => 1);
SELECT results_eq($$ SELECT requests, period, places FROM crm_bridge._limit_in_force('zoho_crm', '*', 1) $$,
  $$ VALUES (50000, interval '1 day', 20) $$, 'B10 the CRM''s credits and places follow the edition');

-- Told to wait: all wait ------------------------------------------------------------------------------------------------

SELECT crm_bridge.rest_budget('zoho_projects', 'POST /d', '22 minutes', 'Try again after 22 minutes.', org_id => 1);
SELECT crm_bridge.rest_budget('zoho_projects', 'POST /d', '1 minute', 'shorter', org_id => 1);
SELECT results_eq($$ SELECT granted, date_trunc('minute', retry_after + interval '1 second'), reason
                       FROM crm_bridge.take_budget('zoho_projects', 'POST /d', 1, org_id => 1) $$,
  $$ VALUES (0, interval '22 minutes', 'Try again after 22 minutes.') $$, 'B10 a wait that one worker was told holds for all, the longest counts');
SELECT is(pg_temp.take(1, 1, 'POST /e'), 1, 'B10 other patterns go on');

-- Places ------------------------------------------------------------------------------------------------------------------

SELECT crm_bridge.new_id() AS one, crm_bridge.new_id() AS two, crm_bridge.new_id() AS three \gset
SELECT crm_bridge.heartbeat(l, 'w', '1 hour') FROM unnest(ARRAY[:'one', :'two', :'three']::uuid[]) AS l;
SELECT crm_bridge.set_budget('zoho_crm', places => 10, org_id => 1);
SELECT is(ARRAY[crm_bridge.take_places('zoho_crm', '*', 8, :'one', org_id => 1), crm_bridge.take_places('zoho_crm', '*', 8, :'two', org_id => 1),
                crm_bridge.take_places('zoho_crm', '*', 8, :'one', org_id => 1), crm_bridge.take_places('zoho_crm', '*', 8, :'two', org_id => 1)],
  ARRAY[8, 2, 5, 5], 'B10 two workers come to share the places evenly, and never have more than there are');
SELECT crm_bridge.end_lease(:'two');
SELECT is(crm_bridge.take_places('zoho_crm', '*', 9, :'three', org_id => 1), 5, 'B10 the places of a worker that stopped are free');
UPDATE crm_bridge.lease SET renewed_at = now() - interval '2 hours' WHERE lease = :'one';
SELECT is(crm_bridge.take_places('zoho_crm', '*', 9, :'three', org_id => 1), 9, 'B10 those of a worker that died lapse with its lease');
SELECT is(crm_bridge.take_places('zoho_projects', '*', 9, :'three', org_id => 1), NULL, 'B10 a service without such a limit gives as many as are wanted');

-- For people ----------------------------------------------------------------------------------------------------------------

INSERT INTO crm_bridge.crm_deal (deal_name) SELECT 'deal ' || n FROM generate_series(1, 4012) AS n;
SELECT crm_bridge.set_budget('zoho_crm', 100, '2 minutes', org_id => 1);
SET ROLE budget_analyst;
RESET ROLE;
SELECT granted FROM crm_bridge.take_budget('zoho_crm', '*', 1, org_id => 1) \gset taken_
SET ROLE budget_analyst;
SELECT results_eq($$ SELECT requests, changes_waiting, requests_waiting, forecast FROM crm_bridge.quota_status WHERE service = 'zoho_crm' AND pattern = '*' $$,
  $$ VALUES (100, 4012::numeric, 41::numeric, '4,012 changes, 9 minutes at this limit') $$,
  'B10 the forecast counts requests as large as the service takes');
SELECT is(crm_bridge._forecast(4012, 4012, 100, '2 minutes', NULL), '4,012 changes, 81 minutes at this limit', 'B10 a forecast in words');
SELECT is((SELECT blocked_because FROM crm_bridge.quota_status WHERE pattern = 'POST /d'), 'Try again after 22 minutes.',
  'B10 an analyst sees which meter rests and why');
RESET ROLE;
SET ROLE budget_administrator;
SELECT crm_bridge.set_budget('zoho_projects', 10, '1 minute');
SELECT is((SELECT decided_by FROM crm_bridge.budget_limit WHERE service = 'zoho_projects'), 'budget_administrator', 'B10 an administrator decides, and stands beside it');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
