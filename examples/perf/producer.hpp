#pragma once

#include "options.hpp"
#include "run_state.hpp"
#include "stamp.hpp"
#include "worker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace perf {

/// Publishes its share of the messages, in turn to each of its routing keys.
class producer final : public worker {
public:
    /// `keys` are not empty. `share`: how many messages at most. With `clock`, some are stamped: the
    /// first of each burst.
    producer(run_state& state, const options& o, std::vector<std::string> keys, std::uint64_t share,
             const stamp* clock);

    asio::awaitable<void> open() override;
    asio::awaitable<void> run(std::size_t) override;
    [[nodiscard]] bool is_source() const override { return true; }
    [[nodiscard]] counts counted() const override;

private:
    template <class Out, class... Options>
    asio::awaitable<void> publish_all(Out& out, Options... how);
    bool publish_at_once(lv::amqp::channel& channel, const std::string& key);
    bool publish_at_once(lv::amqp::publisher&, const std::string&) { return false; }
    [[nodiscard]] asio::awaitable<std::uint64_t> wait_for_turn();
    [[nodiscard]] asio::awaitable<void> flush();
    [[nodiscard]] bool has_many_failures() const;
    [[nodiscard]] const std::string& next_key()
    {
        const std::string& key = keys_[key_];
        if (++key_ == keys_.size())
            key_ = 0;
        return key;
    }

    run_state& state_;
    const options& options_;
    std::vector<std::string> keys_;
    std::size_t key_ = 0;
    std::uint64_t share_;
    const stamp* stamp_;
    std::uint64_t burst_;
    std::string body_; // of stamped messages
    lv::message plain_;
    lv::message stamped_;
    lv::amqp::channel channel_;
    std::optional<lv::amqp::publisher> publisher_; // with confirms
    std::optional<asio::steady_timer> pace_;       // with a rate
    std::uint64_t began_ = 0;                      // when the rate is counted from
    std::uint64_t paced_ = 0;                      // messages since then
    counts done_;                                  // confirms as of the last flush
    std::uint64_t flushed_ = 0;
};

} // namespace perf
