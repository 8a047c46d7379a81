// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "functions/incoming.hpp"
#include "functions/known.hpp"

namespace crm_bridge {

// Settles what a service told of a known record if it is nothing new, or older than what is known.
void settle_known(const Module &module, const Organization &organization, core::Instant read_at,
                  const Shadow &shadow, Incoming &incoming);

}  // namespace crm_bridge
