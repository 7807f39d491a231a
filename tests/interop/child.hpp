// A program that a test starts and talks to by lines: a client of another language, or rabbitmqctl.
#pragma once

#include <leveret/io/config.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leveret::test {

/// A file of the repository's tests, such as "interop/pika_publish.py". The compiler names this header
/// relative to the build directory, which tests/run puts into the environment.
[[nodiscard]] inline std::string tests_file(std::string_view name)
{
    const char* build = std::getenv("LEVERET_TEST_BUILD");
    const std::filesystem::path here(__FILE__);
    const auto tests = (build == nullptr ? here : build / here).parent_path().parent_path();
    return std::filesystem::weakly_canonical(tests / name).string();
}

/// A running program. Its standard output is read by lines, its standard error is the test's. Destroyed
/// it is killed: nothing is left behind by a test that fails.
class child {
public:
    child(const asio::any_io_executor& executor, std::vector<std::string> command) : output_(executor)
    {
        int in[2] = {-1, -1};
        int out[2] = {-1, -1};
        if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
            throw std::system_error(errno, std::system_category(), "pipe2");
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
        std::vector<char*> arguments;
        for (std::string& word : command)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int error = posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
        posix_spawn_file_actions_destroy(&actions);
        close(in[0]);
        close(out[1]);
        input_ = in[1];
        output_.assign(out[0]);
        if (error != 0)
            throw std::system_error(error, std::system_category(), command[0]);
    }
    child(const child&) = delete;
    child& operator=(const child&) = delete;
    ~child()
    {
        close(input_);
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
        }
    }

    /// The next line it prints, without its end. Throws when it printed its last.
    [[nodiscard]] asio::awaitable<std::string> line()
    {
        asio::error_code ec;
        const std::size_t size = co_await asio::async_read_until(
            output_, asio::dynamic_buffer(text_), '\n', asio::redirect_error(asio::use_awaitable, ec));
        if (ec)
            throw std::runtime_error("the program said nothing more, at last: '" + text_ + "'");
        std::string line = text_.substr(0, size - 1);
        text_.erase(0, size);
        co_return line;
    }
    /// Gives it a line to read.
    void say(std::string_view line)
    {
        const std::string text = std::string(line) + '\n';
        if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::system_error(errno, std::system_category(), "write to the program");
    }
    /// Waits for its end, and returns its exit status, or minus the signal that ended it.
    [[nodiscard]] asio::awaitable<int> exit_status()
    {
        asio::error_code ec;
        while (!ec)
            co_await asio::async_read_until(output_, asio::dynamic_buffer(text_), '\n',
                                            asio::redirect_error(asio::use_awaitable, ec)),
                text_.clear();
        int status = 0;
        waitpid(std::exchange(pid_, 0), &status, 0); // its output has ended: it is about to
        co_return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    }
    void kill() { ::kill(pid_, SIGKILL); }

private:
    asio::posix::stream_descriptor output_;
    std::string text_;
    int input_ = -1;
    pid_t pid_ = 0;
};

/// Runs rabbitmqctl against the private node.
[[nodiscard]] inline asio::awaitable<void> rabbitmqctl(asio::any_io_executor executor,
                                                       std::vector<std::string> arguments)
{
    const char* node = std::getenv("LEVERET_TEST_RABBITMQ");
    if (node == nullptr)
        throw std::runtime_error("LEVERET_TEST_RABBITMQ is not set: use tests/run");
    std::vector<std::string> command;
    command.push_back(tests_file("support/rabbitmq"));
    command.push_back("ctl");
    command.push_back(node);
    command.insert(command.end(), arguments.begin(), arguments.end());
    child ctl(executor, std::move(command));
    const int status = co_await ctl.exit_status();
    if (status != 0)
        throw std::runtime_error("rabbitmqctl " + arguments[0] + " failed");
}

} // namespace leveret::test
