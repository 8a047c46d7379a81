// SPDX-License-Identifier: PostgreSQL
#include "services/sessions.hpp"

#include "database.hpp"
#include "log.hpp"
#include "services/bank.hpp"
#include "shared.hpp"

namespace crm_bridge::worker {
namespace {

constexpr std::chrono::seconds organizations_hold{2};
constexpr std::chrono::seconds catalog_holds{30};

}  // namespace

Sessions::Sessions(Shared &shared, ServiceContext &context, HttpClient &client,
                   std::chrono::milliseconds patience)
    : shared_(shared), context_(context), client_(client), patience_(patience) {}

Sessions::Use Sessions::use(Database &database) {
  database_ = &database;
  forget();
  return Use(*this);
}

Database &Sessions::database() const {
  if (database_ == nullptr) throw ConnectionLost("no connection to the database at the moment");
  return *database_;
}

void Sessions::forget() {
  organizations_at_ = {};
  entries_.clear();
}

const std::vector<Organization> &Sessions::organizations() {
  const auto now = Clock::now();
  if (organizations_at_ == Clock::time_point{} || now - organizations_at_ > organizations_hold) {
    organizations_ = database().worker_organizations(context_.settings().kind);
    organizations_at_ = now;
  }
  return organizations_;
}

std::shared_ptr<Session> Sessions::of(std::int64_t org_id) {
  const auto now = Clock::now();
  const Organization *organization = nullptr;
  for (const auto &one : organizations()) {
    if (one.org_id == org_id) organization = &one;
  }
  if (organization == nullptr) return nullptr;
  Entry &entry = entries_[org_id];
  const bool same = entry.session &&
                    entry.session->organization().portal_id == organization->portal_id &&
                    entry.session->organization().credential_at == organization->credential_at;
  if (same && now - entry.loaded_at < catalog_holds) return entry.session;
  context_.tokens().forget_others(org_id, organization->credential_at);
  Catalog catalog;
  catalog.modules = database().modules(context_.settings().kind);
  for (auto &field : database().module_fields(context_.settings().kind, org_id)) {
    catalog.fields[field.module].push_back(std::move(field));
  }
  const auto known = [this, org_id](const std::string &module,
                                    const std::vector<std::string> &ids) {
    return database().known_external_ids(module, ids, org_id);
  };
  entry.session = std::make_shared<Session>(
      context_, client_, *organization, std::move(catalog),
      [this, org_id] { return load_credential(org_id); }, known, patience_,
      std::make_shared<DatabaseBank>([this]() -> Database & { return database(); },
                                     context_.settings(), shared_.lease.id(), org_id));
  entry.session->go_round_with(
      [this, org_id](const std::string &module, const std::string &after, int limit) {
        return database().next_records(module, after, limit, org_id);
      });
  entry.session->when_refused(
      [this, org_id](const std::string &stored_at, const std::string &reason) {
        note_refusal(org_id, stored_at, reason);
      });
  entry.loaded_at = now;
  return entry.session;
}

// The service stops for the want of a credential (R20); whoever cannot say so now says it next
// time.
void Sessions::note_refusal(std::int64_t org_id, const std::string &stored_at,
                            const std::string &reason) {
  const std::string &service = context_.settings().kind;
  log_event(Severity::error, "credential_refused",
            {{"service", service}, {"org", org_id}, {"reason", reason}});
  try {
    database().refuse_credential(service, stored_at, reason, org_id);
  } catch (const std::exception &fault) {
    log_event(Severity::warning, "refusal_not_noted", {{"reason", fault.what()}});
  }
}

Credential Sessions::load_credential(std::int64_t org_id) {
  const std::string &service = context_.settings().kind;
  const auto sealed = database().sealed_credential(service, org_id);
  if (!sealed) throw KeyError("no credential is stored (crm-bridge seal)");
  if (sealed->key_id != shared_.key.id()) {
    throw KeyError("the credential is sealed for another key (" + sealed->key_id + ", ours is " +
                   shared_.key.id() + ")");
  }
  // The services count the tokens that they made out of one credential, whoever asked for them.
  Bank::Ask ask;
  ask.meter = "POST /oauth/v2/token";
  ask.wanted = 1;
  const Bank::Share share = database().take_budget(
      service, ask, context_.settings().tokens_per_window, std::chrono::minutes{10}, org_id);
  if (share.granted == 0)
    throw NoToken("no access token for now: " + share.reason, share.retry_after);
  const Json secret = open_secret(shared_.key, {service, org_id, sealed->kind}, sealed->sealed);
  // The address beside the secret is only a label: what was sealed counts (R11).
  if (scalar_text(secret, "email") != sealed->email)
    throw KeyError("the credential was sealed for another e-mail address");
  Credential credential = parse_credential(secret, context_.grant());
  credential.stored_at = sealed->sealed_at;
  return credential;
}

}  // namespace crm_bridge::worker
