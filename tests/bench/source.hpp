#pragma once

// An endless (or counted) stream of deliveries, encoded once. Only the delivery tags change from
// batch to batch, so that feeding a fast client costs the server little more than the send().

#include "wire.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace bench {

constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

struct source_spec {
    std::size_t size = 16;
    bool props = false;
    std::uint64_t count = endless;
};

/// Reads a queue name `source[.props][.COUNT][.SIZE]` over the defaults in `spec`.
/// Returns false when the queue is not a source.
inline bool parse_source(std::string_view queue, source_spec& spec)
{
    if (queue.substr(0, 6) != "source" || (queue.size() > 6 && queue[6] != '.')) {
        return false;
    }
    std::uint64_t numbers[2] = {};
    int found = 0;
    for (queue.remove_prefix(6); !queue.empty();) {
        queue.remove_prefix(1);
        const auto word = queue.substr(0, queue.find('.'));
        queue.remove_prefix(word.size());
        if (word == "props") {
            spec.props = true;
        } else if (found < 2) {
            std::from_chars(word.data(), word.data() + word.size(), numbers[found++]);
        }
    }
    if (found > 0) {
        spec.size = numbers[found - 1];
    }
    if (found > 1) {
        spec.count = numbers[0];
    }
    return true;
}

class delivery_source {
public:
    delivery_source(const source_spec& spec, std::uint16_t channel, std::string_view tag,
                    std::string_view queue, std::uint32_t frame_max)
        : left_(spec.count)
    {
        encode_one(spec, channel, tag, queue, frame_max);
        stride_ = batch_.size();
        // 256 KiB keeps the socket busy; a tag is 8 octets in each, so patching stays cheap.
        copies_ = std::clamp<std::size_t>(256 * 1024 / stride_, 1, 4096);
        const std::string one = batch_;
        batch_.reserve(stride_ * copies_);
        for (std::size_t i = 1; i < copies_; ++i) {
            batch_ += one;
        }
    }

    /// The next deliveries, at most `credit` of them, and how many they are. The bytes are valid
    /// until the next call; a caller finishes writing one batch before it asks for another.
    std::string_view next(std::uint64_t first_tag, std::uint64_t credit, std::uint64_t& count)
    {
        count = std::min({credit, left_, std::uint64_t{copies_}});
        for (std::uint64_t i = 0; i < count; ++i) {
            store64(batch_.data() + i * stride_ + tag_offset_, first_tag + i);
        }
        left_ -= left_ == endless ? 0 : count;
        return {batch_.data(), count * stride_};
    }

private:
    void encode_one(const source_spec& spec, std::uint16_t channel, std::string_view tag,
                    std::string_view queue, std::uint32_t frame_max)
    {
        {
            frame f(batch_, channel, id::deliver);
            put_short(batch_, tag);
            tag_offset_ = batch_.size();
            put64(batch_, 0);
            put8(batch_, 0); // not redelivered
            put_short(batch_, "");
            put_short(batch_, queue);
        }
        const auto properties = spec.props ? rich_properties() : std::string(2, '\0');
        put_content(batch_, channel, properties, std::string(spec.size, 'x'), frame_max);
    }

    std::string batch_;
    std::size_t stride_ = 0;
    std::size_t copies_ = 0;
    std::size_t tag_offset_ = 0;
    std::uint64_t left_;
};

} // namespace bench
