-- SPDX-License-Identifier: PostgreSQL
-- Texts in five languages (D10), and values that are hostile.
BEGIN;
\ir fixture/tools.psql
\ir fixture/organization.psql
SELECT plan(33);

CREATE TEMP VIEW holes AS
  SELECT m.kind, m.part, m.locale, array_agg(DISTINCT p[1] ORDER BY p[1]) FILTER (WHERE p IS NOT NULL) AS facts
    FROM crm_bridge.message_text AS m LEFT JOIN LATERAL regexp_matches(m.template, '\{([^}]*)\}', 'g') AS p ON true
   GROUP BY m.kind, m.part, m.locale;
SELECT is_empty($$
  SELECT kind, part, array_agg(locale ORDER BY locale) FROM crm_bridge.message_text GROUP BY kind, part
  HAVING array_agg(locale ORDER BY locale) <> ARRAY['de', 'en', 'fr', 'ja', 'zh']
  $$, 'D10: every text is there in five languages');
SELECT is_empty($$
  SELECT kind, part FROM holes WHERE kind <> 'module' GROUP BY kind, part HAVING count(DISTINCT COALESCE(facts, '{}')) > 1
  $$, 'D10: a text names the same facts in the same forms in every language, no more, no less');
SELECT is_empty($$ SELECT kind, part, locale FROM crm_bridge.message_text WHERE btrim(template) = '' OR template ~ '[\u0001-\u0009\u000b-\u001f]' $$, 'no text is empty or has controls');
SELECT is_empty($$ SELECT kind, part, locale FROM crm_bridge.message_text WHERE regexp_replace(template, '\{[a-z_]+(:[a-z]+)?\}', '', 'g') ~ '[{}]' $$, 'no brace is left over');
SELECT is_empty($$ SELECT kind, part, locale FROM crm_bridge.message_text WHERE part IN ('subject', 'name') AND template ~ '\n' $$, 'a subject is one line');
SELECT set_eq($$ SELECT DISTINCT kind FROM crm_bridge.message_text WHERE part = 'body' $$,
  ARRAY['clients_matched', 'key_stale', 'due_date_refused', 'status_refused', 'conflict_lost', 'update_refused', 'update_kept', 'trial_ending', 'users_provisioned', 'more_mails'], 'the kinds of mails');
SELECT is_empty($$
  SELECT kind FROM crm_bridge.message_text WHERE part = 'body' EXCEPT SELECT kind FROM (
    SELECT kind FROM crm_bridge.message_text WHERE part = 'subject' INTERSECT SELECT kind FROM crm_bridge.message_text WHERE part = 'name') AS k
  $$, 'each has a subject and a name for lists');
SELECT set_eq($$ SELECT DISTINCT part FROM crm_bridge.message_text WHERE kind = 'reason' $$,
  ARRAY['not_requested', 'not_owner', 'imported', 'over_first_sync_cap', 'account_not_mapped', 'flag_missing', 'edition', 'field_read_only', 'refused', 'parked', 'held',
        'pending', 'unlinked', 'ambiguous', 'no_name', 'no_account_of_that_name', 'integration_inactive'], 'D12: every reason code has words');
-- Facts as the contract of each kind names them.
SELECT set_eq($$
  SELECT DISTINCT h.kind, split_part(f, ':', 1) FROM holes AS h, unnest(h.facts) AS f WHERE h.part IN ('subject', 'body') AND h.kind <> 'word'
  $$, $$
  SELECT k.kind, unnest(k.facts) FROM (VALUES
    ('clients_matched', ARRAY['matched', 'unmatched', 'proposed', 'reasons', 'by', 'portal']), ('key_stale', ARRAY['since', 'reason', 'email']),
    ('due_date_refused', ARRAY['task', 'project', 'old', 'new', 'limit']), ('status_refused', ARRAY['task', 'project', 'parent', 'old', 'new']),
    ('conflict_lost', ARRAY['record', 'module', 'field', 'yours', 'other', 'by']), ('trial_ending', ARRAY['ends_at', 'days']),
    ('update_refused', ARRAY['record', 'module', 'field', 'old', 'new', 'others', 'service', 'words']), ('update_kept', ARRAY['record', 'module', 'field', 'old', 'new', 'others', 'service', 'words']),
    ('users_provisioned', ARRAY['profile', 'users', 'refused']), ('more_mails', ARRAY['count', 'kinds'])) AS k (kind, facts)
  $$, 'a mail tells every fact of its kind and no other');

-- Rendered -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.body(kind text, locale text, facts jsonb)
RETURNS text
LANGUAGE sql
AS $$ SELECT crm_bridge._render(kind, 'body', locale, facts, 1) $$;
\set late '{"task": "Routers", "project": "Rollout", "old": "2026-03-01", "new": "2026-04-15", "limit": "2026-03-31T18:30:00+00:00"}'
SELECT matches(pg_temp.body('due_date_refused', 'en_US', :'late'), 'beyond the schedule of the related project.*Task: Routers\nProject: Rollout\nDue date so far: March 1, 2026\nDue date you entered: April 15, 2026\n', 'R81 in English');
SELECT matches(pg_temp.body('due_date_refused', 'en_GB', :'late'), 'Due date so far: 1 March 2026\n', 'with the dates of the reader''s country');
SELECT matches(pg_temp.body('due_date_refused', 'de_DE', :'late'), 'Aufgabe: Routers\nProjekt: Rollout\nBisheriges Fälligkeitsdatum: 1. März 2026\nVon Ihnen eingegeben: 15. April 2026\nSpätestes mögliches Datum: 1. April 2026\n', 'R81 in German; D18: an instant is a date of the organization''s zone');
SELECT matches(pg_temp.body('due_date_refused', 'fr-FR', :'late'), 'Tâche : Routers\nProjet : Rollout\nDate d’échéance actuelle : 1 mars 2026\nDate que vous avez saisie : 15 avril 2026\n', 'R81 in French');
SELECT matches(pg_temp.body('due_date_refused', 'ja', :'late'), 'タスク：Routers\nプロジェクト：Rollout\n現在の期限日：2026年3月1日\n', 'R81 in Japanese');
SELECT matches(pg_temp.body('due_date_refused', 'zh_CN', :'late'), '任务：Routers\n项目：Rollout\n当前截止日期：2026年3月1日\n', 'R81 in Chinese');
SELECT matches(pg_temp.body('due_date_refused', 'es_ES', :'late'), 'Due date so far: March 1, 2026\n', 'a language that has no texts reads English, dates too');
SELECT matches(pg_temp.body('status_refused', l.locale, '{"task": "Sub", "project": "P", "parent": "Main", "old": "Closed", "new": "Open"}'), 'Sub(.|\n)*P(.|\n)*Main(.|\n)*Closed(.|\n)*Open', format('R84 in %s names task, project, parent, old and new', l.locale))
  FROM unnest(ARRAY['en', 'de', 'fr', 'ja', 'zh']) AS l (locale);
SELECT matches(pg_temp.body('clients_matched', 'de', '{"matched": 1234567, "unmatched": 3, "proposed": 0, "by": "mira", "portal": "Zylker", "reasons": {"no_name": 1, "ambiguous": 2}}'),
  'Verknüpft: 1\.234\.567\nNicht verknüpft: 3\n(.|\n)*- der Name kommt mehrfach vor: 2\n- der Datensatz hat keinen Namen: 1\n', 'R41: the reasons in words, the most frequent first');
SELECT matches(pg_temp.body('conflict_lost', 'fr', '{"record": "R", "module": "crm_task", "field": "amount", "yours": 1234.5, "other": ["a", "2026-03-01", null, true], "by": "ben"}'),
  'R \(tâche dans le CRM\)\n(.|\n)*Votre valeur : 1.234,5\nValeur en vigueur : a, 1 mars 2026, \(vide\), oui\n', 'D1: values of every type are written in the language');
SELECT matches(pg_temp.body('users_provisioned', 'en', jsonb_build_object('profile', 'Sales', 'users', (SELECT jsonb_agg('user ' || n) FROM generate_series(1, 1200) AS n))), '- user 50\n- and 1,150 more\n', 'a long list is cut');
SELECT matches(pg_temp.body('trial_ending', 'ja', '{"ends_at": "2026-03-15T20:00:00+00:00", "days": 3}'), '試用期間の終了：2026年3月16日 1:30\n残り日数：3\n', 'R2: an instant in the organization''s zone');
SELECT is(crm_bridge._render('key_stale', 'related_list', 'zh', '{"since": "2026-03-01T04:30:00Z", "email": "mira@zylker.example"}', 1),
  '由于 ZSC 密钥已失效，与 Zoho Projects 的集成自 2026年3月1日 10:00 起已停止。mira@zylker.example 或其他管理员可以更新密钥。', 'R21: the message in place of projects says since when and who can renew it');
SELECT pg_temp.refused($$ SELECT crm_bridge._render('key_stale', 'sidebar', 'en', '{}', 1) $$, '42704', 'message_text', 'a text that there is not');
SELECT is_empty($$
  SELECT m.kind, m.part, m.locale FROM crm_bridge.message_text AS m WHERE crm_bridge._render(m.kind, m.part, m.locale, '{}', 1) IS NULL
  $$, 'facts that are missing never cost the text');

-- Hostile values -----------------------------------------------------------------------------------------------------

\set hostile '{"task": "a\\r\\nBcc: all@example.com\\r\\n\\r\\nHello", "project": "{old} {limit:date} {", "old": "not a date", "new": null, "limit": "\\u202e2026\\u2066"}'
SELECT is(crm_bridge._render('due_date_refused', 'subject', 'en', :'hostile', 1), 'Due date not changed: a Bcc: all@example.com Hello', 'a value is one line: no header can be smuggled in');
SELECT matches(pg_temp.body('due_date_refused', 'en', :'hostile'), '\nTask: a Bcc: all@example.com Hello\nProject: \{old\} \{limit:date\} \{\nDue date so far: not a date\nDue date you entered: \(empty\)\n.*: 2026\n',
  'nor a paragraph; a value is not read as a template; what is no date stands as it is; nothing turns the direction of writing');
SELECT is(char_length(crm_bridge._one_line(repeat('ü', 100000))), 500, 'a value is cut');
SELECT is(crm_bridge._one_line(E'\u2028a\u0085\u00a0\tb\u0007'), 'a b', 'every kind of line break and control is a space');

SELECT is(array_agg(crm_bridge._language_of(l) ORDER BY n), ARRAY['de', 'en', 'zh', 'ja', NULL, NULL, NULL, NULL], 'locales as services write them')
  FROM unnest(ARRAY['de_DE', 'EN', 'zh-Hans-CN', 'ja_JP.UTF-8', 'es_ES', 'deutsch', '', NULL]) WITH ORDINALITY AS x (l, n);

SELECT * FROM finish();
ROLLBACK;
