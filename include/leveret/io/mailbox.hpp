#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace leveret::io {

/// A queue from one thread to one other. Its slots are used in place and again and again: what a slot's texts
/// have of memory they keep. It grows as far as its sender lets it, by chunks, of which one that was read is
/// kept for the sender.
///
/// A receiver that finds it empty goes to sleep and says so; the sender then learns from `publish` that it has
/// to wake it. How, is theirs: the queue knows no executor.
///
/// One sender and one receiver at a time; whoever takes over such a role must have synchronised with the one
/// who had it.
template <class T, std::size_t ChunkSize = 64>
class mailbox {
public:
    mailbox() : last_(new chunk), first_(last_) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox()
    {
        delete spare_.load(std::memory_order_relaxed);
        while (first_ != nullptr)
            delete std::exchange(first_, first_->next);
    }

    // The sender's.

    /// The slot to fill next: the same until `commit`. It holds what was left in it before. Throws
    /// std::bad_alloc.
    [[nodiscard]] T& slot()
    {
        if (filled_ == ChunkSize) {
            chunk* fresh = spare_.exchange(nullptr, std::memory_order_acquire);
            if (fresh == nullptr)
                fresh = new chunk;
            fresh->next = nullptr;
            last_->next = fresh;
            last_ = fresh;
            filled_ = 0;
        }
        if (filled_ + ahead < ChunkSize)
            __builtin_prefetch(&last_->slots[filled_ + ahead], 1);
        return last_->slots[filled_];
    }
    /// Appends the slot that was filled. The receiver sees it with the next `publish`.
    void commit() noexcept
    {
        ++filled_;
        ++written_;
    }
    /// Shows the receiver all that was appended. True if it sleeps: the caller must wake it.
    [[nodiscard]] bool publish() noexcept
    {
        visible_.store(written_, std::memory_order_seq_cst);
        return is_asleep_.load(std::memory_order_seq_cst) &&
               is_asleep_.exchange(false, std::memory_order_seq_cst);
    }

    /// Whether the receiver sleeps, or did a moment ago: for who would rather show several at once.
    [[nodiscard]] bool may_sleep() const noexcept { return is_asleep_.load(std::memory_order_relaxed); }

    // The receiver's.

    /// The first that was not taken; null if there is none.
    [[nodiscard]] T* front() noexcept
    {
        if (read_ == seen_) {
            seen_ = visible_.load(std::memory_order_acquire);
            if (read_ == seen_)
                return nullptr;
        }
        if (taken_ == ChunkSize) {
            chunk* old = std::exchange(first_, first_->next);
            taken_ = 0;
            delete spare_.exchange(old, std::memory_order_release);
        }
        if (read_ + ahead < seen_ && taken_ + ahead < ChunkSize)
            __builtin_prefetch(&first_->slots[taken_ + ahead]);
        return &first_->slots[taken_];
    }
    void pop() noexcept
    {
        ++taken_;
        ++read_;
    }
    /// Says that the receiver sleeps. False if something has come meanwhile: then it does not.
    [[nodiscard]] bool sleep() noexcept
    {
        is_asleep_.store(true, std::memory_order_seq_cst);
        if (visible_.load(std::memory_order_seq_cst) == read_)
            return true;
        return !is_asleep_.exchange(false, std::memory_order_seq_cst); // or the sender has seen it, and wakes
    }

private:
    static constexpr std::size_t ahead = 3; ///< slots whose way from core to core begins early

    struct chunk {
        T slots[ChunkSize];
        chunk* next = nullptr;
    };

    // Each side's own on lines of their own: 64 bytes on the machines that we know, and no more than slow else.
    alignas(64) chunk* last_;
    std::size_t filled_ = 0;
    std::uint64_t written_ = 0;
    alignas(64) std::atomic<std::uint64_t> visible_{0};
    alignas(64) std::atomic<bool> is_asleep_{true};
    std::atomic<chunk*> spare_{nullptr};
    alignas(64) chunk* first_;
    std::size_t taken_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t seen_ = 0;
};

} // namespace leveret::io
