#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/payload.hpp"

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::engine {

/// Bytes on their way to the socket: chunks that are filled one behind the other, and slices of message
/// bodies that are too large to copy. A chunk never moves, so what is being written stays where it is
/// while more is appended. Emptied chunks are kept for the next bytes.
class output_buffer {
public:
    static constexpr std::size_t chunk_size = 64 * 1024;
    static constexpr std::size_t kept_chunks = 6;

    output_buffer() = default;
    output_buffer(const output_buffer&) = delete;
    output_buffer& operator=(const output_buffer&) = delete;
    ~output_buffer()
    {
        for (std::size_t i = head_; i < segments_.size(); ++i)
            release(segments_[i]);
        for (shared_block* chunk : free_)
            chunk->drop_reference();
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Memory for exactly `n` bytes in one piece, which count as appended and must be written before
    /// anything else happens to this buffer. Throws std::bad_alloc.
    [[nodiscard]] char* append(std::size_t n)
    {
        if (room() < n)
            add_chunk(n);
        segment& tail = segments_.back();
        char* at = tail.chunk->data() + tail.end;
        tail.end += n;
        size_ += n;
        return at;
    }
    void append(std::string_view bytes)
    {
        if (!bytes.empty())
            std::memcpy(append(bytes.size()), bytes.data(), bytes.size());
    }
    /// Appends a slice of a body without copying it.
    void append_shared(payload slice)
    {
        if (slice.empty())
            return;
        size_ += slice.size();
        segment s;
        s.end = slice.size();
        s.body = std::move(slice);
        segments_.push_back(std::move(s));
    }

    /// Calls `f(const char*, size_t)` for the pieces in order, until it returns false.
    template <class F>
    void for_each_piece(F&& f) const
    {
        for (std::size_t i = head_; i < segments_.size(); ++i) {
            const segment& s = segments_[i];
            const char* data = s.chunk != nullptr ? s.chunk->data() : s.body.data();
            if (s.end != s.begin && !f(data + s.begin, s.end - s.begin))
                return;
        }
    }

    /// Forgets the first `n` bytes: they are written.
    void consume(std::size_t n) noexcept
    {
        LEVERET_ASSERT(n <= size_);
        size_ -= n;
        while (n > 0) {
            segment& s = segments_[head_];
            const std::size_t here = s.end - s.begin < n ? s.end - s.begin : n;
            s.begin += here;
            n -= here;
            if (s.begin == s.end)
                pop();
        }
        if (size_ == 0)
            reset();
    }

private:
    struct segment {
        shared_block* chunk = nullptr;
        payload body;
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    [[nodiscard]] std::size_t room() const noexcept
    {
        if (head_ == segments_.size() || segments_.back().chunk == nullptr)
            return 0;
        return segments_.back().chunk->capacity() - segments_.back().end;
    }
    void add_chunk(std::size_t at_least)
    {
        segments_.reserve(segments_.size() + 1);
        segment s;
        if (at_least <= chunk_size && !free_.empty()) {
            s.chunk = free_.back();
            free_.pop_back();
        } else {
            s.chunk = shared_block::allocate(at_least > chunk_size ? at_least : chunk_size);
        }
        segments_.push_back(std::move(s));
    }
    /// Drops the first segment unless it is the chunk that is still being filled.
    void pop() noexcept
    {
        if (head_ + 1 == segments_.size() && room() > 0)
            return;
        release(segments_[head_++]);
        if (head_ == segments_.size()) {
            segments_.clear();
            head_ = 0;
        } else if (head_ >= 64) {
            segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
            head_ = 0;
        }
    }
    /// Everything is written: the last chunk can be filled from its start again.
    void reset() noexcept
    {
        while (head_ + 1 < segments_.size())
            pop();
        if (head_ < segments_.size() && segments_[head_].chunk != nullptr)
            segments_[head_].begin = segments_[head_].end = 0;
    }
    void release(segment& s) noexcept
    {
        if (s.chunk == nullptr) {
            s.body = payload();
        } else if (s.chunk->capacity() == chunk_size && free_.size() < kept_chunks) {
            free_.push_back(s.chunk); // its memory is reserved: see below
        } else {
            s.chunk->drop_reference();
        }
        s.chunk = nullptr;
    }

    std::vector<segment> segments_;
    std::vector<shared_block*> free_ = reserved();
    std::size_t head_ = 0;
    std::size_t size_ = 0;

    [[nodiscard]] static std::vector<shared_block*> reserved()
    {
        std::vector<shared_block*> v;
        v.reserve(kept_chunks);
        return v;
    }
};

} // namespace leveret::engine
