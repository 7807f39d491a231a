#pragma once

#include "consumer.hpp"
#include "options.hpp"
#include "run_state.hpp"
#include "worker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perf {

/// Calls through a request and a reply queue, always with so many calls in flight: each reply makes the
/// next call. A call in flight has a slot, whose number is its correlation id.
class rpc_client final : public worker {
public:
    /// `keys` are not empty. `share`: how many calls at most.
    rpc_client(run_state& state, const options& o, std::vector<std::string> keys, std::uint64_t share);

    asio::awaitable<void> open() override;
    asio::awaitable<void> subscribe() override;
    asio::awaitable<void> run(std::size_t) override;
    [[nodiscard]] bool is_source() const override { return true; }
    [[nodiscard]] counts counted() const override;

private:
    /// Reading the clock for each of many calls would show in what a call costs.
    [[nodiscard]] static bool is_timed(std::size_t slot) noexcept { return slot % 8 == 0; }
    [[nodiscard]] std::size_t slot_of(std::string_view correlation_id) const;
    void prepare(std::size_t slot);

    run_state& state_;
    const options& options_;
    std::vector<std::string> keys_;
    std::uint64_t share_;
    std::vector<std::string> ids_;      // by slot
    std::vector<std::uint64_t> called_; // by slot, of those that are timed
    lv::message request_;
    std::string reply_to_;
    lv::amqp::channel channel_;
    lv::amqp::consumer replies_;
    std::uint64_t calls_ = 0;
    std::uint64_t answers_ = 0;
};

/// Serves calls: sends each request's body back.
class rpc_server final : public consumer {
public:
    /// `counts_calls`: whether what it serves is what this run is about.
    rpc_server(run_state& state, const options& o, std::vector<std::string> queues, bool counts_calls)
        : consumer(state, o, std::move(queues), nullptr), persistent_(o.persistent),
          counts_calls_(counts_calls)
    {
    }

    asio::awaitable<void> run(std::size_t loop) override;
    [[nodiscard]] counts counted() const override;

private:
    bool persistent_;
    bool counts_calls_;
    std::uint64_t replies_ = 0;
};

} // namespace perf
