#pragma once

#include "leveret/broker/channel.hpp"
#include "leveret/engine/content_output.hpp"
#include "leveret/engine/server_channel.hpp"
#include "leveret/wire/content_header.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

class session;

/// A channel of a session: the broker's and the engine's, and what the broker has to tell on it.
class session_channel final : public engine::server_channel, public channel_listener {
public:
    explicit session_channel(session& owner) noexcept : owner_(owner) {}

    std::unique_ptr<leveret::broker::channel> core; ///< null when it was closed
    std::string last_queue; ///< that was declared on it, which an empty name means
    bool no_wait = false;   ///< of the basic.consume that is at work

    /// Properties as the broker keeps them; those of the message before if they are the same again.
    [[nodiscard]] properties_ptr share(const wire::properties_view& p);
    /// Confirmations that were collected, in one frame.
    void flush_confirms();

    void consuming(consumer& c) noexcept override;
    flow deliver(consumer& to, const delivery& d) noexcept override;
    void returned(stored_message& m, reply_code code, std::string_view text) noexcept override;
    void confirmed(std::uint64_t number, bool multiple, bool taken) noexcept override;
    void consumer_cancelled(consumer& c) noexcept override;

private:
    friend class session;
    static constexpr std::size_t max_remembered_encoded = 1024;
    void shape(const consumer& to, const stored_message& m);

    session& owner_;
    // The delivery before: one that differs in tag and body alone is a copy of its head.
    engine::delivery_head head_;
    const consumer* head_of_ = nullptr;
    route_ptr head_route_;
    properties_ptr head_properties_;
    // The message before, as its properties were encoded.
    std::string last_encoded_;
    std::uint16_t last_flags_ = 0;
    properties_ptr last_properties_;
    // Confirmations up to last_confirmed_ are to be told, from told_ on.
    std::uint64_t told_ = 0;
    std::uint64_t last_confirmed_ = 0;
    bool last_taken_ = true;
    bool has_confirms_ = false;
    bool is_paused_ = false; // for the output is full
};

} // namespace leveret::broker::server_detail
