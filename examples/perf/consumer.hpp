#pragma once

#include "options.hpp"
#include "run_state.hpp"
#include "stamp.hpp"
#include "worker.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perf {

/// Consumes from its queues, each on a channel of its own.
class consumer : public worker {
public:
    /// With `clock`, measures how long stamped messages took.
    consumer(run_state& state, const options& o, std::vector<std::string> queues, const stamp* clock);

    asio::awaitable<void> open() override;
    asio::awaitable<void> subscribe() override;
    [[nodiscard]] std::size_t loops() const override { return streams_.size(); }
    asio::awaitable<void> run(std::size_t loop) override;
    void settle() override;

protected:
    /// What comes from one queue.
    struct stream {
        std::string queue;
        lv::amqp::channel channel;
        lv::amqp::consumer deliveries;
        std::uint32_t pending = 0;  // deliveries that the next acknowledgement is for
        std::uint64_t last_tag = 0; // of the last of them
    };

    [[nodiscard]] stream& stream_at(std::size_t loop) { return streams_[loop]; }
    /// Acknowledges each N-th delivery together with those before it.
    void settle(stream& s, lv::amqp::delivery& d) const
    {
        if (ack_every_ == 1) {
            d.ack();
        } else if (ack_every_ != 0) {
            if (++s.pending == ack_every_) {
                s.pending = 0;
                d.ack({.multiple = true});
            } else {
                s.last_tag = d.release();
            }
        }
    }

    run_state& state_;

private:
    static void settle_rest(stream& s);

    const options& options_;
    std::uint32_t ack_every_; // 0: without acknowledgements
    const stamp* stamp_;
    std::vector<stream> streams_;
};

} // namespace perf
