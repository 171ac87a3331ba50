using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>The endpoint of an upload when its process dies and another process receives the request.</summary>
public class EndpointCompletionProcessTests
{
    private const string Name = "whole-.bin";
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(90_000);

    [Fact]
    public async Task Running_endpoint_is_not_started_by_another_process()
    {
        using var directory = new UploadDirectory();
        string[] options = [Effects(directory), "ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:LeaseDuration=00:00:15"];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, [.. options, "Handler=hold"]);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:CompletionTimeout=00:00:01"]);
        await using ChildHost waitingHost = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:CompletionTimeout=00:05:00"]);
        var upload = new EndpointUpload(Name, Content);
        Task<HttpResponseMessage> sent = await upload.SendChunksAsync(a.Client, 40_000);
        await a.PrintsAsync(static line => line == $"running {Name} 1");

        // The second time, the first lease would have ended: it has to be renewed.
        for (int i = 0; i < 2; i++)
        {
            if (i > 0)
            {
                await directory.OutlivesLeaseAsync();
            }

            using HttpResponseMessage waiting = await upload.SendAsync(b.Client, Content.Length, Content.Length);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, waiting.StatusCode);
            Assert.NotNull(waiting.Headers.RetryAfter);
            Assert.Contains("still-completing", await waiting.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.Equal(Content.Length, await upload.StatusAsync(b.Client));
        }

        Task<EndpointResponse> pending = upload.AskAsync(waitingHost.Client);
        await a.WriteLineAsync("release");
        using HttpResponseMessage response = await sent;
        EndpointResponse answer = await EndpointResponse.OfAsync(response);
        Assert.Equal((201, "true", $"\"{upload.Hash}\""), (answer.Status, answer.IsComplete, answer.ETag));
        Assert.Equal(answer, await pending);
        Assert.Equal(answer, await upload.AskAsync(b.Client));
        var effects = new EndpointEffects(DirectoryOf(directory));
        Assert.Equal([(1, false)], effects.RunsOf(upload.Key));
        Assert.Equal([upload.Hash], effects.HashesOf(upload.Key));
    }

    [Fact]
    public async Task Endpoint_of_killed_process_is_run_by_another_process()
    {
        using var directory = new UploadDirectory();
        string[] options = [Effects(directory), "ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:LeaseDuration=00:00:15", "ResumableUploads:Handler:CompletionTimeout=00:05:00"];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, [.. options, "Handler=hold"]);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        var upload = new EndpointUpload(Name, Content);
        Task<HttpResponseMessage> sent = await upload.SendChunksAsync(a.Client, 40_000);
        await a.PrintsAsync(static line => line == $"running {Name} 1");

        Task<EndpointResponse> pending = upload.AskAsync(b.Client);
        a.Kill();
        await Assert.ThrowsAsync<HttpRequestException>(() => sent);
        EndpointResponse answer = await pending;
        Assert.Equal((201, "true", $"\"{upload.Hash}\""), (answer.Status, answer.IsComplete, answer.ETag));
        Assert.Equal(answer, await upload.AskAsync(b.Client));
        var effects = new EndpointEffects(DirectoryOf(directory));
        Assert.Equal([(1, false), (2, true)], effects.RunsOf(upload.Key));
        Assert.Equal([upload.Hash], effects.HashesOf(upload.Key));
    }

    [Fact]
    public async Task Process_suspended_past_its_lease_does_not_take_over_the_upload()
    {
        Needs.Require(OperatingSystem.IsLinux(), "Signals require Linux.");
        using var directory = new UploadDirectory();
        string[] options = [Effects(directory), "ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:CompletionTimeout=00:05:00"];

        // Only the lease of the first process is short. The second one must keep its lease, even if the machine stalls.
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:LeaseDuration=00:00:02", "Handler=hold"]);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, [.. options, "Handler=hold"]);
        await using ChildHost c = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:CompletionTimeout=00:00:01"]);
        var upload = new EndpointUpload(Name, Content);
        Task<HttpResponseMessage> sent = await upload.SendChunksAsync(a.Client, 40_000);
        await a.PrintsAsync(static line => line == $"running {Name} 1");
        a.Pause();
        Task<EndpointResponse> pending = upload.AskAsync(b.Client);
        await b.PrintsAsync(static line => line == $"running {Name} 2");

        // The first process continues and its endpoint is canceled. Its result is not used.
        a.Resume();
        a.Terminate();
        using (HttpResponseMessage stopped = await sent)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, stopped.StatusCode);
        }

        await a.EndAsync();
        EndpointResponse waiting = await upload.AskAsync(c.Client);
        Assert.Equal(503, waiting.Status);
        Assert.Contains("still-completing", waiting.Body, StringComparison.Ordinal);
        await b.WriteLineAsync("release");
        EndpointResponse answer = await pending;
        Assert.Equal((201, "true"), (answer.Status, answer.IsComplete));
        Assert.Equal(answer, await upload.AskAsync(c.Client));
        Assert.Equal([(1, false), (2, true)], new EndpointEffects(DirectoryOf(directory)).RunsOf(upload.Key));
    }

    [Fact]
    public async Task Upload_that_kills_its_process_each_time_is_dead_lettered()
    {
        const int Attempts = 3;
        using var directory = new UploadDirectory();
        string[] options =
        [
            Effects(directory),
            "ResumableUploads:FileSystem:Durability=ProcessCrash",
            "ResumableUploads:Handler:LeaseDuration=00:00:04",
            $"ResumableUploads:Handler:MaxAttempts={Attempts}",
            "ResumableUploads:Handler:RetryDelay=00:00:00",
        ];
        var upload = new EndpointUpload(Name, Content, "always-before-effect,before-parked");
        for (int i = 0; i < Attempts; i++)
        {
            await using ChildHost dying = await ChildHost.StartAsync(directory.Root, options);
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => i == 0
                ? upload.SendAsync(dying.Client, 0, Content.Length)
                : upload.SendAsync(dying.Client, Content.Length, Content.Length));
            await dying.EndAsync();
        }

        // The process is killed once more while the app is being notified.
        await using (ChildHost dying = await ChildHost.StartAsync(directory.Root, options))
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => upload.AskAsync(dying.Client));
            await dying.EndAsync();
        }

        await using ChildHost child = await ChildHost.StartAsync(directory.Root, options);
        for (int i = 0; i < 2; i++)
        {
            EndpointResponse answer = await upload.AskAsync(child.Client);
            Assert.Equal(500, answer.Status);
            Assert.Contains("urn:resumable-uploads:parked", answer.Body, StringComparison.Ordinal);
            Assert.Equal(Content.Length, await upload.StatusAsync(child.Client));
        }

        var effects = new EndpointEffects(DirectoryOf(directory));
        Assert.Equal([upload.Hash], effects.DeadLettersOf(upload.Key));
        Assert.Equal([(1, false), (2, true), (3, true)], effects.RunsOf(upload.Key));
        Assert.Empty(effects.HashesOf(upload.Key));
    }

    private static string DirectoryOf(UploadDirectory directory) => Path.Combine(directory.Root, "..", "effects");

    private static string Effects(UploadDirectory directory) => $"Effects={DirectoryOf(directory)}";
}
