// SPDX-License-Identifier: PostgreSQL
#define BOOST_TEST_MODULE crm_bridge_worker
#include <boost/test/unit_test.hpp>
