// SPDX-License-Identifier: PostgreSQL
// Random histories of two people, two services and a network against a database with the extension
// (B1, B2, B9).
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include "wave.hpp"

namespace {

using crm_bridge::convergence::Bridge;
using crm_bridge::convergence::Plan;
using crm_bridge::convergence::Tally;
using crm_bridge::convergence::Wave;

using Wrong = std::map<int, std::vector<std::string>>;

class Program {
 public:
  explicit Program(Plan plan) : plan_(std::move(plan)) { bridge_.set_up(); }

  // Plays waves of histories; false when one did not end as promised.
  bool play(int histories, int a_wave, int only_wave) {
    for (int wave = 0; wave * a_wave < histories; ++wave) {
      if (only_wave >= 0 && wave != only_wave) continue;
      Plan plan = plan_;
      plan.wave = wave;
      plan.first = plan_.first + wave * a_wave;
      plan.count = std::min(a_wave, histories - wave * a_wave);
      const auto [played, wrong] = try_out(plan, &tally_);
      if (wrong.empty()) continue;
      explain(plan, *played, wrong);
      return false;
    }
    return true;
  }

  // One history alone, without the wave that it is of; false when it did not end as promised.
  bool play_alone(int number, int a_wave) {
    Plan plan = plan_;
    plan.wave = number / a_wave;
    plan.first = plan_.first + number;
    plan.count = 1;
    const auto [played, wrong] = try_out(plan, &tally_);
    if (!wrong.empty()) explain(plan, *played, wrong);
    return wrong.empty();
  }

  std::string line() const {
    return "histories=" + std::to_string(tally_.histories) +
           " without_doubt=" + std::to_string(tally_.calm) +
           " steps=" + std::to_string(tally_.steps) + " edits=" + std::to_string(tally_.edits) +
           " conflicts=" + std::to_string(tally_.conflicts) +
           " deletions=" + std::to_string(tally_.deletions) +
           " requests=" + std::to_string(tally_.requests) +
           " forced=" + std::to_string(tally_.forced) + " idle=" + std::to_string(tally_.idle) +
           " replaced_unseen=" + std::to_string(tally_.replaced) +
           " seed=" + std::to_string(plan_.seed);
  }

 private:
  std::pair<std::unique_ptr<Wave>, Wrong> try_out(const Plan &plan, Tally *tally) {
    auto wave = std::make_unique<Wave>(bridge_, plan, "w" + std::to_string(++waves_) + "-");
    Tally ignored;
    wave->play();
    Wrong wrong = wave->judge(tally != nullptr ? *tally : ignored);
    return {std::move(wave), std::move(wrong)};
  }

  // Whether a smaller history shows what the whole one showed, and not something else.
  static bool alike(const std::vector<std::string> &found, const std::vector<std::string> &wrong) {
    const auto kind = [](const std::string &reason) { return reason.substr(0, 20); };
    return std::ranges::any_of(found, [&](const std::string &reason) {
      return std::ranges::any_of(
          wrong, [&](const std::string &other) { return kind(reason) == kind(other); });
    });
  }

  // The last history that went wrong, alone, with as few rounds as still show it.
  void explain(const Plan &plan, const Wave &played, const Wrong &wrong) {
    const int number = wrong.rbegin()->first;
    std::cout << "# " << wrong.size() << " histories of wave " << plan.wave
              << " are not as promised\n";
    int shown = 0;
    for (const auto &[history, reasons] : wrong)
      for (const std::string &reason : reasons)
        if (++shown <= 12) std::cout << "#   " << history << ": " << reason << "\n";
    if (number < 0) return;
    Plan alone = plan;
    alone.first = number;
    alone.count = 1;
    std::unique_ptr<Wave> smallest;
    Wrong reasons;
    const auto fails = [&](const Plan &smaller) {
      auto [wave, found] = try_out(smaller, nullptr);
      if (!found.contains(number) || !alike(found.at(number), wrong.at(number))) return false;
      smallest = std::move(wave);
      reasons = std::move(found);
      return true;
    };
    int rounds = 1;
    for (alone.rounds = rounds; alone.rounds < plan.rounds && !fails(alone);)
      alone.rounds = ++rounds;
    if (!smallest) fails(alone);
    for (int round = 1; smallest && round <= rounds; ++round) {
      alone.skipped.insert(round);
      if (!fails(alone)) alone.skipped.erase(round);
    }
    std::cout << "# history " << number
              << (smallest ? ", alone and with as few steps as show it:"
                           : ", as it was among the others:")
              << "\n";
    for (const std::string &step : (smallest ? *smallest : played).history(number).log)
      std::cout << "#   " << step << "\n";
    for (const std::string &reason : smallest ? reasons.at(number) : wrong.at(number))
      std::cout << "#   => " << reason << "\n";
    std::cout << "# again: --seed " << plan.seed << " --only-wave " << plan.wave
              << " and the same --histories, --wave, --rounds\n";
  }

  Plan plan_;
  Bridge bridge_;
  Tally tally_;
  int waves_ = 0;
};

}  // namespace

int main(int argc, char **argv) {
  CLI::App options{
      "Random histories against the extension, through the protocol of docs/protocol.md; the "
      "database is libpq's (PGHOST, …) and must be new"};
  Plan plan;
  int histories = 10'000;
  int a_wave = 1'000;
  int only_wave = -1;
  int only_history = -1;
  options.add_option("--histories", histories, "how many")->check(CLI::PositiveNumber);
  options.add_option("--rounds", plan.rounds, "rounds of a history")->check(CLI::Range(1, 1000));
  options.add_option("--wave", a_wave, "how many are played side by side")
      ->check(CLI::Range(1, 1000));
  options.add_option("--seed", plan.seed, "where all chance comes from");
  options.add_option("--only-wave", only_wave, "play this wave alone");
  options.add_option("--only-history", only_history, "play this history alone");
  CLI11_PARSE(options, argc, argv);
  try {
    Program program{plan};
    const bool kept = only_history >= 0 ? program.play_alone(only_history, a_wave)
                                        : program.play(histories, a_wave, only_wave);
    std::cout << program.line() << (kept ? " PASS" : " FAIL") << std::endl;
    return kept ? 0 : 1;
  } catch (const std::exception &error) {
    std::cout << "# " << error.what() << "\nseed=" << plan.seed << " FAIL" << std::endl;
    return 1;
  }
}
