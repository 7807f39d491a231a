// Python programs beside a test, with clients such as pika.
#pragma once

#include "interop/child.hpp"

#include <asio/any_io_executor.hpp>

#include <cstdlib>
#include <string>
#include <vector>

namespace leveret::test {

/// Starts tests/interop/SCRIPT with arguments. It has the node's URI from the environment.
template <class... Arguments>
[[nodiscard]] child start_python(const asio::any_io_executor& executor, std::string script,
                               Arguments... arguments)
{
    // Not the first python3 of PATH, which may lack Debian's packages. -B: leaves no caches behind.
    std::vector<std::string> command;
    command.push_back("/usr/bin/python3");
    command.push_back("-B");
    command.push_back(tests_file("interop/" + script));
    (command.push_back(std::string(arguments)), ...);
    return child(executor, std::move(command));
}

} // namespace leveret::test
