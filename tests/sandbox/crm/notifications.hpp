// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../clock.hpp"
#include "../webhooks.hpp"
#include "dialect.hpp"
#include "metadata.hpp"
#include "records.hpp"

#include <map>
#include <set>
#include <string>

namespace crm_bridge::sandbox::crm {

// The channels of /actions/watch and the callbacks that go out on them.  The caller holds the
// CRM's lock.
class Notifications {
 public:
  Notifications(const Dialect &dialect, Metadata &metadata, Clock &clock, Webhooks &webhooks,
                std::int64_t zone_offset)
      : dialect_{dialect},
        metadata_{metadata},
        clock_{clock},
        webhooks_{webhooks},
        zone_offset_{zone_offset} {}

  Answer handle(const Call &call);
  // One callback for each channel, module and kind of operation in one write.
  void announce(const Effects &effects);

 private:
  struct Channel {
    std::set<std::string> events;  // "Deals.create"; "all" stands for the three
    std::string notify_url;
    std::string token;
    std::int64_t expires_at = 0;  // seconds
    bool values = false;          // return_affected_field_values
  };

  Json subscribe(const Json &item, const std::string &path, bool partial);
  Json switch_off(const Json &item, const std::string &path);
  Answer list(const Call &call);
  Answer drop(const Call &call);
  Json describe(const std::string &id, const std::string &module, const Channel &channel) const;

  // Callbacks name the service's public address, whatever address the caller uses.
  std::string resource_uri(const std::string &module) const {
    return "https://www.zohoapis.com/" + dialect_.callback_path + "/" + module;
  }

  const Dialect &dialect_;
  Metadata &metadata_;
  Clock &clock_;
  Webhooks &webhooks_;
  const std::int64_t zone_offset_;
  std::map<std::string, Channel> channels_;
};

}  // namespace crm_bridge::sandbox::crm
