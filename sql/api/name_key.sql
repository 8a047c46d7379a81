-- When two names are the same (D6).

-- The form of a name in which equal names are equal: Unicode NFKC with full case folding, trimmed, white space runs one space;
-- invisible characters dropped (NFKC_Casefold); nothing else stripped: "Acme Ltd" is not "Acme Limited".
-- PUBLIC may execute it, as the defaults of columns: whoever writes a mirror computes its generated column.
CREATE OR REPLACE FUNCTION crm_bridge.name_key(name text)
RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_name_key';
COMMENT ON FUNCTION crm_bridge.name_key(text) IS
  'the form of a name in which equal names are equal (D6): NFKC, case folded, trimmed, white space runs one space';
