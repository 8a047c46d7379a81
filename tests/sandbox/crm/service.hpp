// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../faults.hpp"
#include "../journal.hpp"
#include "../limits.hpp"
#include "../oauth.hpp"
#include "../options.hpp"
#include "../request_log.hpp"
#include "../webhooks.hpp"
#include "dialect.hpp"
#include "metadata.hpp"
#include "notifications.hpp"
#include "people.hpp"
#include "query.hpp"
#include "records.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace crm_bridge::sandbox::crm {

// What surrounds a write: who acts, and whether the organization's workflows run.
struct WriteContext {
  std::string actor;
  bool workflows = false;
};

// Zoho CRM v8 under /crm/v8, or what runs on its engine.
class Service : public Endpoint {
 public:
  Service(Dialect dialect, const Options &options, Clock &clock, Accounts &accounts,
          RequestLog &log, Faults &faults, Webhooks &webhooks, Journal &journal);

  Answer handle(const Call &call) override;

  // The control port edits through these, as a person in the service's screens.
  Json person_create(const std::string &module, const Json &fields, const std::string &email);
  Json person_update(const std::string &module, const std::string &id, const Json &fields,
                     const std::string &email);
  Json person_delete(const std::string &module, const std::string &id, bool permanent,
                     const std::string &email);
  Json person_merge(const std::string &module, const std::string &master, const std::string &loser,
                    const std::vector<std::string> &taken, const std::string &email);
  Json person_read(const std::string &module, const std::string &id);
  // Adds many records in one go, without callbacks: an import in the service itself.
  Json import(const std::string &module, const std::vector<Json> &records);
  std::string add_user(const std::string &first_name, const std::string &last_name,
                       const std::string &email);
  bool add_field(const std::string &module, const Json &field);

 private:
  struct PageToken {
    std::string fingerprint;
    std::int64_t sort_key = 0;
    std::int64_t id = 0;
    std::size_t page = 0;
    std::int64_t expires_at = 0;  // seconds
  };
  using Filter = std::function<bool(const Record &)>;

  Answer work(const Call &call);
  Answer route(const Call &call);
  Answer route_module(const Call &call, Module &module);
  Answer settings(const Call &call);
  Answer users(const Call &call);

  Answer list(const Call &call, Module &module, const Filter &filter);
  Answer get(const Call &call, Module &module, const std::string &id);
  Answer deleted(const Call &call, Module &module);
  Answer related(const Call &call, Module &module, const Record &parent, const std::string &name);
  Answer search(const Call &call, Module &module);
  Answer count(const Call &call, Module &module);
  Answer coql(const Call &call);
  Answer listing(std::vector<Json> data, Json info, const std::string &since);

  enum class Writing { insert, update, upsert };
  Answer write(const Call &call, Module &module, Writing kind, const std::string &id,
               const Record *parent);
  Json write_one(const Call &call, Module &module, Writing kind, Json input,
                 const WriteContext &context, const std::string &path, const Json &duplicate_fields,
                 Effects &effects);
  Json upsert_one(Module &module, const Json &input, const WriteContext &context,
                  const std::string &path, const Json &duplicate_fields, Effects &effects);
  Answer remove(const Call &call, Module &module, const std::string &ids);
  void settle(Effects &effects, const WriteContext &context);
  const Record &seen(const Call &call, const Record &record) const;

  const Dialect dialect_;
  Clock &clock_;
  Accounts &accounts_;
  RequestLog &log_;
  Faults &faults_;
  Journal &journal_;
  const std::int64_t zone_offset_;
  Concurrency concurrency_;
  Concurrency heavy_;  // the sub-concurrency that every edition of the CRM has
  Credits credits_;

  // Handlers are short, so one lock keeps every read consistent; answers are written outside it.
  std::mutex mutex_;
  Metadata metadata_;
  People people_;
  Records records_;
  Notifications notifications_;
  Matcher matcher_;
  std::map<std::string, PageToken> page_tokens_;
  std::uint64_t last_page_token_ = 0;
};

// An answer that is one error at the root.
Answer refuse(int status, const std::string &code, Json details, const std::string &message);
std::vector<std::string> split_list(const std::string &text);

}  // namespace crm_bridge::sandbox::crm
