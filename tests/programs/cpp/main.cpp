#include <atomic>
#include <condition_variable>
#include <future>
#include <iostream>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static void threads() {
    std::mutex mutex;
    std::shared_mutex shared;
    std::atomic<long> atomic{0};
    long counted = 0, read = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < 8; i++)
        all.emplace_back([&] {
            for (int j = 0; j < 10000; j++) {
                std::lock_guard<std::mutex> hold(mutex);
                counted++;
                atomic++;
            }
            std::shared_lock<std::shared_mutex> hold(shared);
            if (counted >= 0) atomic++;
        });
    for (auto &one : all) one.join();
    std::cout << counted << ' ' << atomic << ' ' << read << '\n';
}

static void futures() {
    auto fails = std::async(std::launch::async, []() -> int { throw std::runtime_error("thrown in a thread"); });
    try {
        fails.get();
    } catch (const std::exception &e) {
        std::cout << e.what() << '\n';
    }
    std::promise<int> promise;
    auto value = promise.get_future();
    std::thread giver([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        promise.set_value(42);
    });
    std::cout << (value.wait_for(std::chrono::microseconds(1)) == std::future_status::timeout) << ' ' << value.get() << '\n';
    giver.join();
}

static void loops() {
    long sum = 0, most = 0;
#pragma omp parallel for reduction(+ : sum) reduction(max : most) schedule(dynamic, 1000)
    for (long i = 0; i < 3000000; i++) {
        sum += i % 7;
        if (i * 7919 % 10007 > most) most = i * 7919 % 10007;
    }
    int phases = 0;
#pragma omp parallel
    {
        for (int i = 0; i < 50; i++) {
#pragma omp barrier
#pragma omp single
            phases++;
        }
#pragma omp critical
        phases += 100;
    }
    std::cout << sum << ' ' << most << ' ' << phases << std::endl;
}

int main() {
    threads();
    futures();
    loops();
}
