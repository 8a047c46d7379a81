// SPDX-License-Identifier: PostgreSQL
#include "pg/spi.hpp"

namespace crm_bridge::pg {

namespace {
constexpr const char *pinned_search_path = "pg_catalog, pg_temp";
}

AsOwner::AsOwner() {
  call([this] {
    Oid const schema = get_namespace_oid("crm_bridge", false);
    HeapTuple tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(schema));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for namespace %u", schema);
    Oid const owner = reinterpret_cast<Form_pg_namespace>(GETSTRUCT(tuple))->nspowner;
    ReleaseSysCache(tuple);
    GetUserIdAndSecContext(&user_, &security_context_);
    // Within another one there is nothing to change.
    if (user_ == owner && (security_context_ & SECURITY_LOCAL_USERID_CHANGE) != 0 &&
        std::strcmp(namespace_search_path, pinned_search_path) == 0)
      return;
    guc_nest_level_ = NewGUCNestLevel();
    (void)set_config_option("search_path", pinned_search_path, PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    SetUserIdAndSecContext(owner, security_context_ | SECURITY_LOCAL_USERID_CHANGE);
  });
}

AsOwner::~AsOwner() {
  if (guc_nest_level_ == 0) return;
  SetUserIdAndSecContext(user_, security_context_);
  // Unguarded: restoring a value that was valid when it was saved raises nothing worse than
  // WARNING.
  AtEOXact_GUC(true, guc_nest_level_);
}

SpiSession::SpiSession() {
  call([] {
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "could not connect to SPI");
  });
}

SpiSession::~SpiSession() {
  // Unguarded: SPI_finish only frees memory and pops its stack; "not connected" is a return code.
  (void)SPI_finish();
}

NullableDatum Row::operator[](int position) const {
  return call([&] {
    NullableDatum value;
    value.value = SPI_getbinval(tuple_, descriptor_, position + 1, &value.isnull);
    return value;
  });
}

std::optional<std::string> Row::optional_string(int position) const {
  NullableDatum const value = (*this)[position];
  if (value.isnull) return std::nullopt;
  const char *characters = call([&] {
    return SPI_gettypeid(descriptor_, position + 1) == NAMEOID
               ? NameStr(*DatumGetName(value.value))
               : text_to_cstring(reinterpret_cast<const ::text *>(DatumGetPointer(value.value)));
  });
  return std::string{characters};
}

std::string Row::string(int position) const {
  return optional_string(position).value_or(std::string{});
}

std::int64_t Row::bigint(int position) const { return DatumGetInt64((*this)[position].value); }

bool Row::boolean(int position) const {
  NullableDatum const value = (*this)[position];
  return !value.isnull && DatumGetBool(value.value);
}

std::optional<core::Uuid> Row::optional_uuid(int position) const {
  NullableDatum const value = (*this)[position];
  if (value.isnull) return std::nullopt;
  core::Uuid uuid;
  std::memcpy(uuid.bytes.data(), DatumGetUUIDP(value.value)->data, UUID_LEN);
  return uuid;
}

core::Uuid Row::uuid(int position) const { return optional_uuid(position).value_or(core::Uuid{}); }

Jsonb *Row::jsonb(int position) const {
  NullableDatum const value = (*this)[position];
  if (value.isnull) return nullptr;
  return call([&] { return DatumGetJsonbP(value.value); });
}

std::optional<core::Instant> Row::instant(int position) const {
  NullableDatum const value = (*this)[position];
  if (value.isnull) return std::nullopt;
  constexpr std::int64_t epoch_distance =
      static_cast<std::int64_t>(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
  return core::Instant{DatumGetTimestampTz(value.value) + epoch_distance};
}

std::string quoted(const std::string &name) {
  const char *text = call([&] { return quote_identifier(name.c_str()); });
  return text;
}

void Statement::run(std::span<const NullableDatum> arguments, bool latest) {
  Assert(static_cast<int>(arguments.size()) == count_);
  call([&] {
    Datum values[maximum_parameters];
    char nulls[maximum_parameters];
    int i = 0;
    for (const NullableDatum &argument : arguments) {
      values[i] = argument.value;
      nulls[i++] = argument.isnull ? 'n' : ' ';
    }
    if (plan_ == nullptr) {
      // Generic plans: what a statement touches is a few rows by key, whatever the parameters are.
      SPIPlanPtr plan = SPI_prepare_cursor(text_, count_, types_.data(), CURSOR_OPT_GENERIC_PLAN);
      if (plan == nullptr)
        elog(ERROR, "could not prepare \"%s\": %s", text_, SPI_result_code_string(SPI_result));
      if (SPI_keepplan(plan) != 0) elog(ERROR, "could not keep a plan");
      plan_ = plan;
    }
    // In parallel mode there is one snapshot, the leader's.
    bool const own_snapshot = latest && !IsInParallelMode();
    if (own_snapshot) PushActiveSnapshot(GetLatestSnapshot());
    int const result = SPI_execute_plan(plan_, values, nulls, latest, 0);
    if (own_snapshot) PopActiveSnapshot();
    if (result < 0)
      elog(ERROR, "could not execute \"%s\": %s", text_, SPI_result_code_string(result));
  });
}

Rows Statement::execute(std::span<const NullableDatum> arguments) {
  run(arguments, false);
  return Rows{SPI_tuptable, SPI_tuptable == nullptr ? 0 : SPI_processed};
}

Rows Statement::read_latest(std::initializer_list<NullableDatum> arguments) {
  run({arguments.begin(), arguments.size()}, true);
  return Rows{SPI_tuptable, SPI_tuptable == nullptr ? 0 : SPI_processed};
}

void Statement::forget() noexcept {
  // Unguarded: dropping a kept plan releases memory and reference counts, nothing that raises.
  if (plan_ != nullptr) (void)SPI_freeplan(plan_);
  plan_ = nullptr;
}

}  // namespace crm_bridge::pg
