// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "services/service.hpp"

namespace crm_bridge::worker {

class Database;
class Intake;
class Key;

// Notification channels of one service: the database says what is due, this does it.  Nothing is
// remembered here, so any worker may go on where another ended.
class Channels {
 public:
  explicit Channels(Intake &intake) : intake_(intake) {}

  // Does what is due for the organization's channel.  True if everything must be polled now because
  // the channel was made; caught_up() is to be called afterwards.
  bool tend(Database &database, Session &session);
  void caught_up(Database &database, Session &session, bool good);

 private:
  using Clock = std::chrono::steady_clock;
  // The outcome for record_channel.
  std::string take_step(Session &session, const std::string &step, const ChannelAddress &address,
                        ChannelState &state);

  Intake &intake_;
  std::map<std::int64_t, Clock::time_point> next_look_;
};

// Where the service is to send an organization's notices.
ChannelAddress channel_address(const Key &key, const ServiceSettings &settings,
                               const ListenSettings &receiver, std::int64_t org_id);

}  // namespace crm_bridge::worker
