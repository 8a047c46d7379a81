-- Rendering: templates of message_text with facts put in.  Facts come from records that anybody may have written: a value is one
-- line, has no control characters, and is never read as a template.

-- The language of a locale like "de_DE" or "zh-Hans-CN"; NULL where there are no texts in it.
CREATE OR REPLACE FUNCTION crm_bridge._language_of(locale text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  code text := lower(substring(locale FROM '^([A-Za-z]{2})([-_.@]|$)'));
BEGIN
  RETURN CASE WHEN code IN ('en', 'de', 'fr', 'ja', 'zh') THEN code END;
END
$$;
COMMENT ON FUNCTION crm_bridge._language_of(text) IS 'the language of a locale, if there are texts in it';
REVOKE ALL ON FUNCTION crm_bridge._language_of(text) FROM PUBLIC;

-- The locale in which a person is written to (D10): that of the CRM user with this address, else the organization's setting
-- default_locale, else English.
CREATE OR REPLACE FUNCTION crm_bridge._locale_for(recipient text, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN COALESCE(
    (SELECT u.locale FROM crm_bridge.crm_user AS u
      WHERE u.org_id = _locale_for.org_id AND lower(u.email) = lower(recipient) AND crm_bridge._language_of(u.locale) IS NOT NULL
      ORDER BY u.status IS DISTINCT FROM 'active', u.id LIMIT 1),
    (SELECT s.value #>> '{}' FROM crm_bridge.setting AS s
      WHERE s.org_id = _locale_for.org_id AND s.name = 'default_locale' AND crm_bridge._language_of(s.value #>> '{}') IS NOT NULL),
    'en');
END
$$;
COMMENT ON FUNCTION crm_bridge._locale_for(text, bigint) IS 'the locale in which a person is written to';
REVOKE ALL ON FUNCTION crm_bridge._locale_for(text, bigint) FROM PUBLIC;

-- A date, an instant or a number as a reader of the locale writes it; anything else as it is.
CREATE OR REPLACE FUNCTION crm_bridge._localized(kind text, value text, locale text, time_zone text)
RETURNS text
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_localized';
COMMENT ON FUNCTION crm_bridge._localized(text, text, text, text) IS 'a date, an instant or a number as a reader of the locale writes it';
REVOKE ALL ON FUNCTION crm_bridge._localized(text, text, text, text) FROM PUBLIC;

-- A value as one line of text: no line breaks or other controls, nothing that turns the direction of writing, 500 characters.
CREATE OR REPLACE FUNCTION crm_bridge._one_line(value text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  line text := regexp_replace(value, '[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]', '', 'g');
BEGIN
  line := btrim(regexp_replace(line, '[\u0001-\u0020\u007f-\u00a0\u2028\u2029]+', ' ', 'g'));
  RETURN CASE WHEN char_length(line) > 500 THEN left(line, 499) || '…' ELSE line END;
END
$$;
COMMENT ON FUNCTION crm_bridge._one_line(text) IS 'a value as one harmless line of text';
REVOKE ALL ON FUNCTION crm_bridge._one_line(text) FROM PUBLIC;

-- A fact as it stands in a text.  Forms: date, instant, number; value (by its JSON type and shape); list (a line each);
-- people (objects {who, word or reason (D12), detail}, a line each); reasons and kinds (objects {code: count}, a line each); module; NULL: text as it is.
CREATE OR REPLACE FUNCTION crm_bridge._written(fact jsonb, form text, locale text, time_zone text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  most constant integer := 50;
  language text := COALESCE(crm_bridge._language_of(locale), 'en');
  type text := COALESCE(jsonb_typeof(fact), 'null');
  plain text := crm_bridge._one_line(fact #>> '{}');
  words jsonb := (SELECT jsonb_object_agg(m.part, m.template) FROM crm_bridge.message_text AS m WHERE m.kind = 'word' AND m.locale = language);
BEGIN
  IF type = 'null' OR plain = '' OR plain IN ('[]', '{}') THEN
    RETURN words ->> 'empty';
  ELSIF form IN ('reasons', 'kinds') AND type = 'object' THEN
    RETURN (SELECT string_agg('- ' || crm_bridge._filled(words ->> 'count', jsonb_build_object('count', e.value, 'what', COALESCE(m.template, e.key)),
                                                         _written.locale, time_zone), E'\n' ORDER BY e.value DESC, e.key)
              FROM jsonb_each(fact) AS e
              LEFT JOIN crm_bridge.message_text AS m
                ON m.locale = language AND (m.kind, m.part) = (CASE form WHEN 'reasons' THEN 'reason' ELSE e.key END, CASE form WHEN 'reasons' THEN e.key ELSE 'name' END));
  ELSIF form = 'list' AND type = 'array' THEN
    RETURN (SELECT string_agg('- ' || crm_bridge._written(e.value, NULL, locale, time_zone), E'\n' ORDER BY e.place)
              FROM jsonb_array_elements(fact) WITH ORDINALITY AS e (value, place) WHERE e.place <= most)
        || CASE WHEN jsonb_array_length(fact) <= most THEN ''
                ELSE E'\n- ' || crm_bridge._filled(words ->> 'more', jsonb_build_object('count', jsonb_array_length(fact) - most), locale, time_zone) END;
  ELSIF form = 'people' AND type = 'array' THEN
    RETURN (SELECT string_agg('- ' || crm_bridge._filled(words ->> 'because', jsonb_build_object('who', e.value -> 'who', 'why',
                                                concat_ws(' – ', COALESCE(words ->> (e.value ->> 'word'), m.template), e.value ->> 'detail')), _written.locale, time_zone),
                              E'\n' ORDER BY e.place)
              FROM jsonb_array_elements(fact) WITH ORDINALITY AS e (value, place)
              LEFT JOIN crm_bridge.message_text AS m ON m.kind = 'reason' AND m.part = e.value ->> 'reason' AND m.locale = language
             WHERE e.place <= most)
        || CASE WHEN jsonb_array_length(fact) <= most THEN ''
                ELSE E'\n- ' || crm_bridge._filled(words ->> 'more', jsonb_build_object('count', jsonb_array_length(fact) - most), locale, time_zone) END;
  ELSIF type = 'array' THEN
    RETURN crm_bridge._one_line((SELECT string_agg(crm_bridge._written(e.value, form, locale, time_zone), words ->> 'separator' ORDER BY e.place)
                                   FROM jsonb_array_elements(fact) WITH ORDINALITY AS e (value, place) WHERE e.place <= most));
  ELSIF type = 'boolean' THEN
    RETURN words ->> plain;
  ELSIF type = 'number' OR (form = 'number' AND type = 'string') THEN
    RETURN crm_bridge._localized('number', plain, locale, time_zone);
  ELSIF form = 'module' THEN
    RETURN COALESCE((SELECT m.template FROM crm_bridge.message_text AS m WHERE m.kind = 'module' AND m.part = plain AND m.locale = language), plain);
  ELSIF type = 'string' AND (form IN ('date', 'instant') OR (form = 'value' AND plain ~ '^\d{4}-\d\d-\d\d($|[T ]\d\d:)')) THEN
    RETURN crm_bridge._localized(CASE form WHEN 'date' THEN 'date' ELSE 'instant' END, plain, locale, time_zone);
  END IF;
  RETURN plain;
END
$$;
COMMENT ON FUNCTION crm_bridge._written(jsonb, text, text, text) IS 'a fact as it stands in a text';
REVOKE ALL ON FUNCTION crm_bridge._written(jsonb, text, text, text) FROM PUBLIC;

-- A template with its facts put in, in one pass: what stands in a value is not looked at again.
CREATE OR REPLACE FUNCTION crm_bridge._filled(template text, facts jsonb, locale text, time_zone text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (SELECT string_agg(t.piece[1] || CASE WHEN t.piece[2] IS NULL THEN ''
                                               ELSE crm_bridge._written(facts -> t.piece[2], t.piece[3], locale, time_zone) END, '' ORDER BY t.place)
            FROM regexp_matches(template, '([^{]*)(?:\{([a-z_]+)(?::([a-z]+))?\})?', 'g') WITH ORDINALITY AS t (piece, place));
END
$$;
COMMENT ON FUNCTION crm_bridge._filled(text, jsonb, text, text) IS 'a template with its facts put in';
REVOKE ALL ON FUNCTION crm_bridge._filled(text, jsonb, text, text) FROM PUBLIC;

-- A part of a message to a reader of the locale: "subject", "body", or what else the kind has.  Dates stand in the organization's
-- time zone.  Errors: 42704 there is no such text.
CREATE OR REPLACE FUNCTION crm_bridge._render(kind text, part text, locale text, facts jsonb, org_id bigint)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  language text := COALESCE(crm_bridge._language_of(locale), 'en');
  -- Dates of a language that has no texts would stand oddly in an English one.
  form text := CASE WHEN crm_bridge._language_of(locale) IS NULL THEN 'en' ELSE locale END;
  org crm_bridge.organization;
  wanted text;
BEGIN
  SELECT m.template INTO wanted FROM crm_bridge.message_text AS m WHERE m.kind = _render.kind AND m.part = _render.part AND m.locale = language;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format('there is no text "%s" of kind "%s"', part, kind),
      HINT = 'The texts are listed in crm_bridge.message_text.';
  END IF;
  SELECT o.* INTO org FROM crm_bridge.organization AS o WHERE o.org_id = _render.org_id;
  RETURN crm_bridge._filled(wanted, jsonb_build_object('organization', org.name) || facts, form, COALESCE(org.time_zone, 'UTC'));
END
$$;
COMMENT ON FUNCTION crm_bridge._render(text, text, text, jsonb, bigint) IS 'a part of a message, in a reader''s language';
REVOKE ALL ON FUNCTION crm_bridge._render(text, text, text, jsonb, bigint) FROM PUBLIC;
