#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/engine/content_assembly.hpp"

#include <cstddef>
#include <cstdint>

namespace leveret::engine {

/// A channel as the server's end of the protocol sees it. The layer above derives from it, and gives it to the
/// engine with `accept_channel`; it is the engine's until it was closed from either side.
class server_channel {
public:
    server_channel() = default;
    server_channel(const server_channel&) = delete;
    server_channel& operator=(const server_channel&) = delete;

    /// 0 unless it is open.
    [[nodiscard]] std::uint16_t number() const noexcept { return number_; }

protected:
    ~server_channel() { LEVERET_ASSERT(number_ == 0 && "closed before it goes"); }

private:
    friend class server_connection;
    std::uint16_t number_ = 0;
    std::size_t held_bytes_ = 0;
    content_assembly assembly_;
};

} // namespace leveret::engine
