#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/small_copy.hpp"

#include <cstddef>
#include <string_view>

namespace leveret {

/// A text of up to 255 bytes, AMQP's short string, in place: to be assigned to again and again.
class short_text {
public:
    static constexpr std::size_t max_size = 255;

    short_text() noexcept = default;
    short_text(const short_text&) = delete;
    /// Needs a text that is not longer.
    short_text& operator=(std::string_view text) noexcept
    {
        LEVERET_ASSERT(text.size() <= max_size);
        size_ = static_cast<unsigned char>(text.size());
        copy_small(bytes_, text.data(), text.size());
        return *this;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_, size_}; }

private:
    unsigned char size_ = 0;
    char bytes_[max_size];
};

} // namespace leveret
