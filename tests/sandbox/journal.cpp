// SPDX-License-Identifier: PostgreSQL
#include "journal.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <system_error>

namespace crm_bridge::sandbox {

Journal::Journal(const std::string &file, bool sync) : sync_{sync} {
  if (file.empty()) return;
  file_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) {
    throw std::system_error{errno, std::generic_category(), "could not open journal " + file};
  }
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

void Journal::append(const Json &effect) {
  if (file_ < 0) return;
  const std::string line = effect.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::lock_guard lock{mutex_};
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t count = ::write(file_, line.data() + written, line.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0)
      throw std::system_error{errno, std::generic_category(), "could not write journal"};
    written += static_cast<std::size_t>(count);
  }
}

void Journal::sync() {
  if (file_ >= 0 && sync_) ::fdatasync(file_);
}

}  // namespace crm_bridge::sandbox
