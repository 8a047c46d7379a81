// SPDX-License-Identifier: PostgreSQL
#define BOOST_TEST_MODULE crm_bridge_core
#include <boost/test/unit_test.hpp>
#include <iostream>

#include "random.hpp"

namespace {

struct PrintSeed {
  PrintSeed() {
    std::cout << "random seed " << crm_bridge::test::seed()
              << " (set CRM_BRIDGE_TEST_SEED to repeat this run)" << std::endl;
  }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(PrintSeed);
