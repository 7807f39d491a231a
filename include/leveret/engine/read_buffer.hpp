#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/pod_vector.hpp"

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// Bytes from the socket, in blocks that deliveries may keep alive. While nobody keeps the current
/// block it is filled again and again; otherwise the unread rest, at most one frame, moves to another.
class read_buffer {
public:
    static constexpr std::size_t block_size = 64 * 1024;
    static constexpr std::size_t kept_blocks = 6;

    read_buffer() = default;
    read_buffer(const read_buffer&) = delete;
    read_buffer& operator=(const read_buffer&) = delete;
    ~read_buffer()
    {
        for (shared_block* block : spare_)
            block->drop_lease();
        if (block_ != nullptr)
            block_->drop_lease();
    }

    [[nodiscard]] std::string_view unread() const noexcept
    {
        return {data_ + begin_, end_ - begin_};
    }
    void consume(std::size_t n) noexcept
    {
        LEVERET_ASSERT(n <= end_ - begin_);
        begin_ += n;
    }
    /// The block that `unread()` lies in.
    [[nodiscard]] shared_block* block() const noexcept { return block_; }

    struct space {
        char* data;
        std::size_t size;
    };

    /// Room for the next read: at least enough for a frame of `needed` bytes, of which the first
    /// `unread().size()` are here already. Calls `leaving()` before bytes that were consumed may be
    /// overwritten or left behind. Throws std::bad_alloc.
    template <class Leaving>
    [[nodiscard]] space prepare(std::size_t needed, Leaving&& leaving)
    {
        const std::size_t rest = end_ - begin_;
        const std::size_t wanted = needed > rest + min_read ? needed : rest + min_read;
        if (block_ == nullptr || block_->capacity() - begin_ < wanted) {
            leaving();
            rotate(wanted);
        } else if (rest == 0 && begin_ != 0 && block_->is_free_but_for_one_lease()) {
            leaving();
            begin_ = end_ = 0;
        }
        return {block_->data() + end_, block_->capacity() - end_};
    }
    void commit(std::size_t n) noexcept
    {
        LEVERET_ASSERT(n <= block_->capacity() - end_);
        end_ += n;
    }

    /// Gives back what is not in use: all of it, when everything was consumed.
    void release_spare() noexcept
    {
        for (shared_block* block : spare_)
            block->drop_lease();
        spare_.clear();
        if (begin_ != end_ || block_ == nullptr)
            return;
        std::exchange(block_, nullptr)->drop_lease();
        data_ = nullptr;
        begin_ = end_ = 0;
    }

private:
    /// A read for less than this is not worth its system call.
    static constexpr std::size_t min_read = 8 * 1024;

    void rotate(std::size_t wanted)
    {
        const std::size_t rest = end_ - begin_;
        if (block_ != nullptr && block_->capacity() >= wanted && block_->is_free_but_for_one_lease()) {
            std::memmove(block_->data(), block_->data() + begin_, rest);
        } else {
            shared_block* fresh = take_spare(wanted);
            if (rest != 0)
                std::memcpy(fresh->data(), block_->data() + begin_, rest);
            if (block_ != nullptr)
                put_aside(block_);
            block_ = fresh;
            data_ = fresh->data();
        }
        begin_ = 0;
        end_ = rest;
    }
    [[nodiscard]] shared_block* take_spare(std::size_t wanted)
    {
        for (std::size_t i = 0; i < spare_.size(); ++i) {
            shared_block* block = spare_[i];
            if (block->capacity() >= wanted && block->is_free_but_for_one_lease()) {
                spare_.erase_at(i);
                return block;
            }
        }
        spare_.reserve(kept_blocks + 1);
        shared_block* block = shared_block::allocate(wanted > block_size ? wanted : block_size);
        block->add_lease();
        block->drop_reference(); // the lease holds the only one
        return block;
    }
    void put_aside(shared_block* block) noexcept
    {
        if (spare_.size() == kept_blocks) {
            spare_.front()->drop_lease();
            spare_.erase_at(0);
        }
        spare_.push_back(block);
    }

    shared_block* block_ = nullptr;
    const char* data_ = nullptr; // of the block
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    pod_vector<shared_block*> spare_; // left behind, and perhaps still in use by deliveries
};

} // namespace leveret::engine
