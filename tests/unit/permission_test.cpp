// SPDX-License-Identifier: PostgreSQL
#include "core/permission.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

namespace crm_bridge::core {
namespace {

using enum Action;
constexpr Action actions[] = {see_tab, view, create, edit, erase};
constexpr RoleKind kinds[] = {RoleKind::none, RoleKind::analyst, RoleKind::app,
                              RoleKind::administrator};

Holder person(Flags flags) {
  return {.kind = RoleKind::app, .is_person = true, .is_active = true, .flags = flags};
}

BOOST_AUTO_TEST_SUITE(permission)

BOOST_AUTO_TEST_CASE(R31_each_flag_gives_its_own_action_and_no_other) {
  for (Action const flag : actions)
    for (Action const action : actions)
      BOOST_TEST((judge(person(Flags{}.set(flag)), action) == Verdict::allowed) ==
                 (flag == action));
}

BOOST_AUTO_TEST_CASE(R36_a_flag_that_is_not_set_denies) {
  for (Action const action : actions) {
    BOOST_TEST((judge(person(Flags{}), action) == Verdict::flag_missing));
    BOOST_TEST((judge(person(Flags::all().set(action, false)), action) == Verdict::flag_missing));
    BOOST_TEST((judge(person(Flags::all()), action) == Verdict::allowed));
  }
}

BOOST_AUTO_TEST_CASE(R36_who_is_not_active_may_nothing) {
  Holder holder = person(Flags::all());
  holder.is_active = false;
  for (Action const action : actions) BOOST_TEST((judge(holder, action) == Verdict::inactive));
}

BOOST_AUTO_TEST_CASE(B13_an_analyst_writes_nothing_whatever_his_flags) {
  Holder holder = person(Flags::all());
  holder.kind = RoleKind::analyst;
  for (Action const action : {create, edit, erase})
    BOOST_TEST((judge(holder, action) == Verdict::reads_only));
  BOOST_TEST((judge(holder, view) == Verdict::allowed));
  BOOST_TEST((judge_elsewhere(holder) == Verdict::reads_only));
}

BOOST_AUTO_TEST_CASE(
    an_app_for_whom_nobody_acts_has_its_bindings_rights_unless_a_person_is_demanded) {
  for (RoleKind const kind : {RoleKind::app, RoleKind::administrator}) {
    Holder holder;
    holder.kind = kind;
    for (Action const action : actions) {
      holder.person_demanded = false;
      BOOST_TEST((judge(holder, action) == Verdict::allowed));
      holder.person_demanded = true;
      BOOST_TEST((judge(holder, action) == Verdict::allowed) == (kind == RoleKind::administrator));
    }
  }
}

BOOST_AUTO_TEST_CASE(R1_only_administrators_set_up) {
  for (RoleKind const kind : kinds) {
    for (int const who : {0, 1, 2, 3}) {  // nobody, a plain user, an administrator, one who left
      Holder const holder{.kind = kind,
                          .is_person = who > 0,
                          .is_active = who < 3,
                          .administers_crm = who >= 2,
                          .flags = {}};
      BOOST_TEST(administers(holder) ==
                 (kind == RoleKind::administrator && (who == 0 || who == 2)));
    }
  }
}

BOOST_AUTO_TEST_CASE(words_are_those_of_sql) {
  BOOST_TEST((parse_action("delete") == erase));
  BOOST_TEST((parse_action("tab") == see_tab));
  BOOST_TEST(!parse_action("erase").has_value());
  BOOST_TEST(std::string{flag_of(create)} == "can_create");
  BOOST_TEST((parse_role_kind("owner") == RoleKind::none));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace crm_bridge::core
