-- Comments (R77-R79, D9): notes on a linked task of the CRM and comments on its twin in Projects stay one thing with two faces.
-- Neither service lets a caller name the author: in Projects he stands in the comment's first line, [Zoho CRM: Mira Novak], which the
-- conversion "comment" keeps out of the note; in the CRM in the note's title, Mira Novak (Zoho Projects).  docs/decisions/0012.

-- Who wrote a note or a comment, as people say his name: whom the service names, else who acts here, else whose address it is.
CREATE OR REPLACE FUNCTION crm_bridge._author_of(side text, author uuid, named text, writer text, by_app boolean, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  person uuid := COALESCE(author, CASE WHEN by_app AND side = 'left' THEN crm_bridge.acting_user() END);
  known text := NULLIF(btrim(named), '');
BEGIN
  IF known IS NULL AND side = 'left' THEN
    known := (SELECT u.full_name FROM crm_bridge.crm_user AS u WHERE u.org_id = _author_of.org_id AND u.id = person);
  ELSIF known IS NULL THEN
    known := COALESCE((SELECT u.full_name FROM crm_bridge.projects_user AS u WHERE u.org_id = _author_of.org_id AND u.id = author),
                      (SELECT u.full_name FROM crm_bridge.crm_user AS u WHERE by_app AND u.org_id = _author_of.org_id AND u.id = crm_bridge.acting_user()));
  END IF;
  IF known IS NULL AND writer LIKE '%@%' THEN
    known := COALESCE((SELECT u.full_name FROM crm_bridge.crm_user AS u WHERE u.org_id = _author_of.org_id AND lower(u.email) = lower(writer) LIMIT 1),
                      (SELECT u.full_name FROM crm_bridge.projects_user AS u WHERE u.org_id = _author_of.org_id AND lower(u.email) = lower(writer) LIMIT 1),
                      writer);
  END IF;
  -- What would break the line that he stands in.
  RETURN NULLIF(btrim(regexp_replace(known, '[][[:cntrl:][:space:]]+', ' ', 'g')), '');
END
$$;
COMMENT ON FUNCTION crm_bridge._author_of(text, uuid, text, text, boolean, bigint) IS 'the name of whoever wrote a note or a comment';
REVOKE ALL ON FUNCTION crm_bridge._author_of(text, uuid, text, text, boolean, bigint) FROM PUBLIC;

-- Whether a comment or note that a service tells of is news: written since its task was linked and since the rule was switched on
-- (D13).  What was there before stays where it is.
CREATE OR REPLACE FUNCTION crm_bridge._comment_is_news(written timestamptz, linked timestamptz, org_id bigint)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Services tell whole seconds.
  RETURN EXISTS (SELECT 1 FROM crm_bridge.automation AS a
                  WHERE a.org_id = _comment_is_news.org_id AND a.rule = 'comments_of_linked_tasks' AND a.enabled
                    AND written >= date_trunc('second', GREATEST(a.changed_at, linked)));
END
$$;
COMMENT ON FUNCTION crm_bridge._comment_is_news(timestamptz, timestamptz, bigint) IS 'whether a comment was written since its task was linked';
REVOKE ALL ON FUNCTION crm_bridge._comment_is_news(timestamptz, timestamptz, bigint) FROM PUBLIC;

-- Makes the comment of a note on a linked task.  Result: the comment; null where there is none to be made.
CREATE OR REPLACE FUNCTION crm_bridge._comment_of_note(note crm_bridge.crm_note)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := note.org_id;
  pair crm_bridge.link;
  fields jsonb;
  line text;
BEGIN
  SELECT l.* INTO pair FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.left_id = note.task_id AND l.pairing = 'task_task' AND l.state = 'active';
  IF NOT FOUND OR crm_bridge._twin_of('note_comment', note.id, org) IS NOT NULL THEN
    RETURN NULL;
  END IF;
  IF note.origin = 'service' AND (NOT crm_bridge._comment_is_news(note.created_at, pair.created_at, org)
       -- One of ours that is read before its creation is confirmed: it is folded into ours then.
       OR note.title = 'Zoho Projects' OR note.title LIKE '% (Zoho Projects)'
       OR EXISTS (SELECT 1 FROM crm_bridge.crm_note AS n
                   WHERE n.org_id = org AND n.task_id = note.task_id AND n.id <> note.id AND n.external_id IS NULL
                     AND btrim(concat_ws(E'\n', n.title, n.content), E' \t\r\n') = btrim(concat_ws(E'\n', note.title, note.content), E' \t\r\n'))) THEN
    RETURN NULL;
  END IF;
  fields := crm_bridge._mapped_fields('note_comment', 'left', note.id, org);
  IF COALESCE(btrim(note.content), '') <> '' AND NOT fields ? 'content' THEN
    PERFORM crm_bridge._left_alone('crm_note', note.id, 'content', 'not_representable', 'Projects does not take this text as a comment.', org);
    RETURN NULL;
  END IF;
  -- A title is said beside the author: comments have none.
  line := concat_ws(': ', 'Zoho CRM', crm_bridge._author_of('left', COALESCE(note.author_id, CASE WHEN note.origin = 'service' THEN note.owner_id END), NULL,
                                                          note.modified_by, note.origin <> 'service', org),
                    NULLIF(btrim(regexp_replace(note.title, '[][[:cntrl:][:space:]]+', ' ', 'g')), ''));
  RETURN crm_bridge._make_twin('note_comment', 'left', note.id, jsonb_build_object('task_id', pair.right_id, 'content',
    concat_ws('<br>', '[' || replace(replace(replace(line, '&', '&amp;'), '<', '&lt;'), '>', '&gt;') || ']', fields ->> 'content')), org);
END
$$;
COMMENT ON FUNCTION crm_bridge._comment_of_note(crm_bridge.crm_note) IS 'makes the comment in Projects of a note on a linked task (R77)';
REVOKE ALL ON FUNCTION crm_bridge._comment_of_note(crm_bridge.crm_note) FROM PUBLIC;

-- Makes the note of a comment on a linked task.  Result: the note; null where there is none to be made.
CREATE OR REPLACE FUNCTION crm_bridge._note_of_comment(comment crm_bridge.projects_comment)
RETURNS uuid
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  org bigint := comment.org_id;
  pair crm_bridge.link;
  fields jsonb;
  author text;
BEGIN
  SELECT l.* INTO pair FROM crm_bridge.link AS l
   WHERE l.org_id = org AND l.right_id = comment.task_id AND l.pairing = 'task_task' AND l.state = 'active';
  IF NOT FOUND OR crm_bridge._twin_of('note_comment', comment.id, org) IS NOT NULL THEN
    RETURN NULL;
  END IF;
  fields := crm_bridge._mapped_fields('note_comment', 'right', comment.id, org);
  IF comment.origin = 'service' AND (NOT crm_bridge._comment_is_news(COALESCE(comment.posted_at, comment.created_at), pair.created_at, org)
       -- One of ours that is read before its creation is confirmed.
       OR comment.content ~ '^(\s|<[^>]*>)*\[Zoho CRM[]:]'
       OR EXISTS (SELECT 1 FROM crm_bridge.projects_comment AS c
                   WHERE c.org_id = org AND c.task_id = comment.task_id AND c.id <> comment.id AND c.external_id IS NULL
                     AND crm_bridge._mapped_fields('note_comment', 'right', c.id, org) = fields)) THEN
    RETURN NULL;
  END IF;
  IF NOT fields ? 'content' THEN
    PERFORM crm_bridge._left_alone('projects_comment', comment.id, 'content', 'not_representable', 'The CRM does not take this text as a note.', org);
    RETURN NULL;
  END IF;
  author := crm_bridge._author_of('right', comment.author_id, comment.author_name, comment.modified_by, comment.origin <> 'service', org);
  RETURN crm_bridge._make_twin('note_comment', 'right', comment.id, jsonb_build_object('task_id', pair.left_id,
    'title', COALESCE(left(author, 100) || ' (Zoho Projects)', 'Zoho Projects')), org);
END
$$;
COMMENT ON FUNCTION crm_bridge._note_of_comment(crm_bridge.projects_comment) IS 'makes the note in the CRM of a comment on a linked task (R78)';
REVOKE ALL ON FUNCTION crm_bridge._note_of_comment(crm_bridge.projects_comment) FROM PUBLIC;

-- A new note or comment gets its twin.  When one of ours gets its id from the service, those that the service told of meanwhile and that
-- might have been ours are looked at again.
CREATE OR REPLACE FUNCTION crm_bridge._automate_comments()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- Two workers may confirm two at the same moment.
    PERFORM pg_advisory_xact_lock(hashtextextended('crm_bridge comments ' || NEW.org_id || ' ' || NEW.task_id, 0));
  END IF;
  IF TG_TABLE_NAME = 'crm_note' THEN
    PERFORM crm_bridge._comment_of_note(n) FROM crm_bridge.crm_note AS n
      WHERE n.org_id = NEW.org_id AND CASE TG_OP WHEN 'INSERT' THEN n.id = NEW.id ELSE n.task_id = NEW.task_id AND n.id <> NEW.id AND n.origin = 'service' END;
  ELSE
    PERFORM crm_bridge._note_of_comment(c) FROM crm_bridge.projects_comment AS c
      WHERE c.org_id = NEW.org_id AND CASE TG_OP WHEN 'INSERT' THEN c.id = NEW.id ELSE c.task_id = NEW.task_id AND c.id <> NEW.id AND c.origin = 'service' END;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._automate_comments() IS 'a new note on a linked task gets its comment in Projects, and the other way round (R77, R78)';
REVOKE ALL ON FUNCTION crm_bridge._automate_comments() FROM PUBLIC;

DO $triggers$
DECLARE
  watched text;
BEGIN
  FOREACH watched IN ARRAY ARRAY['crm_note', 'projects_comment'] LOOP
    EXECUTE format('CREATE TRIGGER "1_comment_of_linked_task" AFTER INSERT ON crm_bridge.%I FOR EACH ROW
                      WHEN (NEW.task_id IS NOT NULL AND crm_bridge._rule_is_on(''comments_of_linked_tasks'', NEW.org_id))
                      EXECUTE FUNCTION crm_bridge._automate_comments()', watched);
    EXECUTE format('CREATE TRIGGER "1_comment_confirmed" AFTER UPDATE OF external_id ON crm_bridge.%I FOR EACH ROW
                      WHEN (OLD.external_id IS NULL AND NEW.external_id IS NOT NULL AND NEW.task_id IS NOT NULL
                            AND crm_bridge._rule_is_on(''comments_of_linked_tasks'', NEW.org_id))
                      EXECUTE FUNCTION crm_bridge._automate_comments()', watched);
  END LOOP;
END
$triggers$;

-- When a task is deleted on one side its twin stays (D2), and so does what was said about it: its comments are deleted with it by the
-- service, and their twins must not follow.
CREATE OR REPLACE FUNCTION crm_bridge._part_comments()
RETURNS trigger
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- From the notes and comments to their links, by the links' indexes: with OR each deleted task would read all links.
  UPDATE crm_bridge.link AS l SET state = 'archived', reason = 'task_deleted'
    FROM (SELECT o.link_id FROM crm_bridge.crm_note AS n
            JOIN crm_bridge.link AS o ON o.org_id = NEW.org_id AND o.left_id = n.id AND o.pairing = 'note_comment' AND o.state <> 'archived'
           WHERE n.org_id = NEW.org_id AND n.task_id = NEW.left_id
           UNION
          SELECT o.link_id FROM crm_bridge.projects_comment AS c
            JOIN crm_bridge.link AS o ON o.org_id = NEW.org_id AND o.right_id = c.id AND o.pairing = 'note_comment' AND o.state <> 'archived'
           WHERE c.org_id = NEW.org_id AND c.task_id = NEW.right_id) AS f
   WHERE l.org_id = NEW.org_id AND l.link_id = f.link_id;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm_bridge._part_comments() IS 'what was said about a task stays where its twin stays (D2)';
REVOKE ALL ON FUNCTION crm_bridge._part_comments() FROM PUBLIC;
CREATE TRIGGER "1_part_comments" AFTER UPDATE OF state ON crm_bridge.link FOR EACH ROW
  WHEN (NEW.pairing = 'task_task' AND NEW.state = 'archived' AND OLD.state <> 'archived' AND NEW.reason = 'deleted')
  EXECUTE FUNCTION crm_bridge._part_comments();
