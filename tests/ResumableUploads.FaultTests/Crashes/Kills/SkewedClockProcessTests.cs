using System.Diagnostics;
using System.Net;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>Two processes on one directory, one of which has a wall clock that is wrong by five minutes.</summary>
public class SkewedClockProcessTests(ITestOutputHelper output)
{
    private const string Name = "whole-.bin";

    private static readonly byte[] Content = [.. Enumerable.Range(0, 90_000).Select(static i => (byte)(i * 31))];

    [Theory]
    [InlineData("+300", true)]
    [InlineData("-300", true)]
    [InlineData("+300", false)]
    [InlineData("-300", false)]
    public async Task Handler_of_killed_process_runs_in_the_other_without_a_request(string skew, bool isKilledSkewed)
    {
        string[] skewed = SkewedBy(skew);
        using var directory = new UploadDirectory();
        string[] options =
        [
            "ResumableUploads:FileSystem:Durability=ProcessCrash",
            "ResumableUploads:Handler:CompletionTimeout=00:05:00",
            "ResumableUploads:Timeouts:SweepInterval=01:00:00",
        ];
        await using ChildHost a = await ChildHost.StartUnderAsync(isKilledSkewed ? skewed : [], directory.Root, [.. options, "Handler=hold"]);
        Task<HttpResponseMessage> sent = a.Client.AppendAsync(Name, 0, Content, Content.Length, ("X-File-Name", Name));
        await a.PrintsAsync(static line => line == $"completing {Name} 1");

        // The first sweep of the other process finds the upload and observes its lease. No client requests the result, and the next sweep is later than the timeout
        // of the test. So the process has waited for the lease, which usually takes 16 to 19 seconds.
        await using ChildHost b = await ChildHost.StartUnderAsync(isKilledSkewed ? [] : skewed, directory.Root, options);
        await directory.OutlivesLeaseAsync();
        Assert.Equal(1, directory.RunsOf(Name));
        Assert.Equal(Content.Length, await b.Client.StatusAsync(Name));
        long killed = Stopwatch.GetTimestamp();
        a.Kill();
        await Assert.ThrowsAsync<HttpRequestException>(() => sent);
        await b.PrintsAsync(static line => line == $"completing {Name} 2");
        output.WriteLine($"The handler runs again after {Stopwatch.GetElapsedTime(killed)}.");
        using HttpResponseMessage response = await b.Client.AppendAsync(Name, Content.Length, [], Content.Length);
        Assert.Equal((HttpStatusCode.OK, $"finished {Name} in {b.Id}"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        directory.AssertFinished(Name, Content);
    }

    [Theory]
    [InlineData("+300")]
    [InlineData("-300")]
    public async Task Unfinished_upload_does_not_expire_by_the_wrong_clock_of_a_process(string skew)
    {
        string[] skewed = SkewedBy(skew);
        using var directory = new UploadDirectory();
        string[] options =
        [
            "ResumableUploads:FileSystem:Durability=ProcessCrash",
            "ResumableUploads:Expiration=00:04:00",
            "ResumableUploads:Timeouts:MaxAge=00:04:00",
        ];
        await using ChildHost a = await ChildHost.StartUnderAsync(skewed, directory.Root, options);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        ChildHost[] hosts = [a, b];
        for (int i = 0; i < hosts.Length; i++)
        {
            string name = $"part-{i}-.bin";
            using HttpResponseMessage response = await hosts[i].Client.AppendAsync(name, 0, Content[..1000], Content.Length, ("X-File-Name", name));
            Assert.Equal(1000, await hosts[1 - i].Client.StatusAsync(name));
        }
    }

    /// <summary>Returns the command that starts a process with a wrong wall clock. Its monotonic clock and the times of files are right.</summary>
    private static string[] SkewedBy(string seconds)
    {
        string? library = Directory.Exists("/usr/lib")
            ? Directory.EnumerateDirectories("/usr/lib").Select(static directory => Path.Combine(directory, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
            : null;
        Needs.Require(library is not null, "libfaketime is not installed (Debian package faketime).");
        return ["env", $"LD_PRELOAD={library}", $"FAKETIME={seconds}", "FAKETIME_DONT_FAKE_MONOTONIC=1", "NO_FAKE_STAT=1"];
    }
}
