#pragma once

#include "leveret/core/publish_result.hpp"
#include "leveret/engine/confirms.hpp"
#include "leveret/transport/detail/waiting.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace leveret::transport_detail {

/// Waits for the confirmation of one publish, in the frame of the coroutine that published. It is known to
/// `publishes` from then on, and forgotten there when it goes before it was confirmed.
class confirm_call final : public engine::confirm_listener {
public:
    confirm_call(io::wait_list& waits, deadlines& times, engine::confirms& publishes) noexcept
        : bell(waits, times), publishes_(publishes)
    {
    }
    confirm_call(const confirm_call&) = delete;
    confirm_call& operator=(const confirm_call&) = delete;
    ~confirm_call()
    {
        if (is_done)
            return;
        if (number != 0)
            publishes_.forget(number);
        else // memory ran out between its publish and its number
            publishes_.forget(*this);
    }

    void confirmed(std::uint64_t, std::size_t, std::size_t, publish_outcome outcome) noexcept override
    {
        finish(publish_result(outcome));
    }
    void returned(std::uint64_t, std::size_t, std::uint16_t code, std::string text) noexcept override
    {
        finish(publish_result(static_cast<reply_code>(code), std::move(text)));
    }

    timed_bell bell;
    publish_result result;
    std::uint64_t number = 0; ///< of the publish on its channel
    bool is_done = false;

private:
    void finish(publish_result r) noexcept
    {
        result = std::move(r);
        is_done = true;
        bell.bell.ring();
    }

    engine::confirms& publishes_;
};

} // namespace leveret::transport_detail
