// SPDX-License-Identifier: PostgreSQL
//
// Clients and accounts of the same name (D6), in one pass over each side.
#include "core/client_match.hpp"
#include "pg/datum.hpp"
#include "pg/memory.hpp"
#include "pg/row_stream.hpp"
#include "pg/spi.hpp"

namespace crm_bridge {

namespace {

constexpr pg::RowStream read_links{
    "SELECT l.left_id, l.right_id FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.pairing = 'account_client' AND l.state <> 'archived'",
    {INT8OID}};
constexpr pg::RowStream read_unlinked{
    "SELECT l.left_id, l.right_id FROM crm_bridge.link AS l"
    " WHERE l.org_id = $1 AND l.pairing = 'account_client' AND l.state = 'archived' AND l.reason = "
    "'unlinked'",
    {INT8OID}};
constexpr pg::RowStream read_accounts{
    "SELECT a.id, a.name_key FROM crm_bridge.crm_account AS a WHERE a.org_id = $1", {INT8OID}};
// Without a portal all clients there are.
constexpr pg::RowStream read_clients{
    "SELECT c.id, c.name_key FROM crm_bridge.projects_client AS c"
    " WHERE c.org_id = $1 AND ($2 IS NULL OR c.portal_id = $2 OR c.portal_id IS NULL)",
    {INT8OID, UUIDOID}};

constinit pg::Statement insert_links{
    "INSERT INTO crm_bridge.link (org_id, pairing, left_id, right_id, created_by)"
    " SELECT $1, 'account_client', p.account_id, p.client_id, $4"
    "   FROM unnest($2, $3) AS p (account_id, client_id)",
    {INT8OID, UUIDARRAYOID, UUIDARRAYOID, TEXTOID}};

constexpr std::size_t links_a_statement = 10'000;

void read_both_sides(core::ClientMatch &match, std::int64_t org_id, NullableDatum portal) {
  pg::SpiSession spi;
  read_links.read({pg::argument(org_id)},
                  [&](const pg::StreamedRow &row) { match.add_linked(row.uuid(0), row.uuid(1)); });
  read_unlinked.read({pg::argument(org_id)}, [&](const pg::StreamedRow &row) {
    match.add_unlinked(row.uuid(0), row.uuid(1));
  });
  read_accounts.read({pg::argument(org_id)}, [&](const pg::StreamedRow &row) {
    match.add_account(row.uuid(0), row.text(1));
  });
  read_clients.read({pg::argument(org_id), portal}, [&](const pg::StreamedRow &row) {
    match.add_client(row.uuid(0), row.text(1));
  });
}

// The links of a matching, written in statements of ten thousand.
class LinkBatch {
 public:
  LinkBatch(std::int64_t org_id, NullableDatum creator) : org_id_(org_id), creator_(creator) {}
  void add(const core::Uuid &account, const core::Uuid &client) {
    accounts_.push_back(account);
    clients_.push_back(client);
    if (accounts_.size() == links_a_statement) flush();
  }
  void flush() {
    if (accounts_.empty()) return;
    pg::SpiSession spi;
    (void)insert_links.execute(
        {pg::argument(org_id_), pg::argument(accounts_), pg::argument(clients_), creator_});
    accounts_.clear();
    clients_.clear();
  }

 private:
  std::int64_t org_id_;
  NullableDatum creator_;
  std::vector<core::Uuid> accounts_;
  std::vector<core::Uuid> clients_;
};

// Asked of every record; the server is asked every few thousand.
class Patience {
 public:
  void ask() {
    if (++asked_ % 4096 == 0) pg::check_interrupts();
  }

 private:
  std::uint32_t asked_ = 0;
};

template <std::size_t width>
void put(ReturnSetInfo *result, const std::array<NullableDatum, width> &row) {
  pg::call([&] {
    Datum values[width];
    bool nulls[width];
    for (std::size_t i = 0; i < width; ++i) {
      values[i] = row[i].value;
      nulls[i] = row[i].isnull;
    }
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  });
}

struct Count {
  std::int64_t clients = 0;
  std::int64_t accounts = 0;
};

// (portal uuid, linking boolean, creator text, org_id bigint) → how many of each reason
Datum match_clients(FunctionCallInfo fcinfo) {
  bool const linking = DatumGetBool(fcinfo->args[1].value);
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[3].value);
  pg::call([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  pg::ContextMemory memory{"names of clients and accounts"};
  core::ClientMatch match{&memory};
  read_both_sides(match, org_id, fcinfo->args[0]);

  std::array<Count, core::match_reasons.size()> counts;
  LinkBatch links{org_id, fcinfo->args[2]};
  Patience patience;
  match.judge([&](const core::Uuid *account, const core::Uuid *client, core::MatchReason reason) {
    patience.ask();
    Count &count = counts[static_cast<std::size_t>(reason)];
    count.clients += client == nullptr ? 0 : 1;
    count.accounts += account == nullptr ? 0 : 1;
    if (linking && reason == core::MatchReason::matched) links.add(*account, *client);
  });
  links.flush();
  for (core::MatchReason const reason : core::match_reasons) {
    const Count &count = counts[static_cast<std::size_t>(reason)];
    if (count.clients + count.accounts == 0) continue;
    bool const linked = reason == core::MatchReason::matched;
    put<4>(result, {pg::argument(std::string{linked ? "linked" : "not_linked"}),
                    linked ? pg::null_argument() : pg::argument(std::string{to_text(reason)}),
                    pg::argument(count.clients), pg::argument(count.accounts)});
  }
  return static_cast<Datum>(0);
}

// (portal uuid, org_id bigint) → every client and account that is not linked, and why
Datum unmatched(FunctionCallInfo fcinfo) {
  NullableDatum const portal = fcinfo->args[0];
  std::int64_t const org_id = DatumGetInt64(fcinfo->args[1].value);
  pg::call([&] { InitMaterializedSRF(fcinfo, 0); });
  auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
  // One text a reason, not one a row.
  std::array<NullableDatum, core::match_reasons.size()> texts;
  for (core::MatchReason const reason : core::match_reasons)
    texts[static_cast<std::size_t>(reason)] =
        pg::argument(std::string{portal.isnull                          ? "integration_inactive"
                                 : reason == core::MatchReason::matched ? "not_requested"
                                                                        : to_text(reason)});
  pg::ContextMemory memory{"names of clients and accounts"};
  core::ClientMatch match{&memory};
  read_both_sides(match, org_id, portal);

  Patience patience;
  auto const id = [](const core::Uuid *record) {
    return record == nullptr ? pg::null_argument()
                             : pg::argument(PointerGetDatum(record->bytes.data()));
  };
  match.judge([&](const core::Uuid *account, const core::Uuid *client, core::MatchReason reason) {
    patience.ask();
    NullableDatum const text = texts[static_cast<std::size_t>(reason)];
    // A row each: also of a pair that a matching would link.
    if (client != nullptr) put<3>(result, {id(client), pg::null_argument(), text});
    if (account != nullptr) put<3>(result, {pg::null_argument(), id(account), text});
  });
  return static_cast<Datum>(0);
}

}  // namespace

CRM_BRIDGE_FUNCTION(crm_bridge_match_clients, match_clients);
CRM_BRIDGE_FUNCTION(crm_bridge_unmatched, unmatched);

}  // namespace crm_bridge
