using System.Net;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>The completion handler when its process dies and another process receives the request.</summary>
public class CompletionTests
{
    private const string Name = "whole-.bin";
    private static readonly byte[] Content = [.. Enumerable.Range(0, 90_000).Select(static i => (byte)(i * 31))];

    [Fact]
    public async Task Running_handler_is_not_started_by_another_process()
    {
        using var directory = new UploadDirectory();
        string[] options = ["ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:LeaseDuration=00:00:15", "ResumableUploads:Handler:CompletionTimeout=00:00:01"];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:CompletionTimeout=00:05:00", "Handler=hold"]);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        await using ChildHost waitingHost = await ChildHost.StartAsync(directory.Root, [.. options, "ResumableUploads:Handler:CompletionTimeout=00:05:00"]);
        Task<HttpResponseMessage> sent = a.Client.AppendAsync(Name, 0, Content, Content.Length, ("X-File-Name", Name));
        await a.PrintsAsync(static line => line == $"completing {Name} 1");

        // The second time, the first lease would have ended: it has to be renewed.
        for (int i = 0; i < 2; i++)
        {
            if (i > 0)
            {
                await directory.OutlivesLeaseAsync();
            }

            using HttpResponseMessage waiting = await b.Client.AppendAsync(Name, Content.Length, [], Content.Length);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, waiting.StatusCode);
            Assert.NotNull(waiting.Headers.RetryAfter);
            Assert.Contains("still-completing", await waiting.Content.ReadAsStringAsync());
            Assert.Equal(Content.Length, await b.Client.StatusAsync(Name));
        }

        Task<HttpResponseMessage> pending = waitingHost.Client.AppendAsync(Name, Content.Length, [], Content.Length);
        await a.WriteLineAsync("release");
        string answer = $"finished {Name} in {a.Id}";
        foreach (Task<HttpResponseMessage> task in (Task<HttpResponseMessage>[])[sent, pending, b.Client.AppendAsync(Name, Content.Length, [], Content.Length)])
        {
            using HttpResponseMessage response = await task;
            Assert.Equal((HttpStatusCode.OK, answer), (response.StatusCode, await response.Content.ReadAsStringAsync()));
            Assert.Equal("true", response.Header("X-Upload-Complete"));
        }

        Assert.Equal(1, directory.RunsOf(Name));
        directory.AssertFinished(Name, Content);
    }

    [Fact]
    public async Task Handler_of_killed_process_is_run_by_another_process()
    {
        using var directory = new UploadDirectory();
        string[] options = ["ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:LeaseDuration=00:00:15", "ResumableUploads:Handler:CompletionTimeout=00:05:00"];
        await using ChildHost a = await ChildHost.StartAsync(directory.Root, [.. options, "Handler=hold"]);
        await using ChildHost b = await ChildHost.StartAsync(directory.Root, options);
        Task<HttpResponseMessage> sent = a.Client.AppendAsync(Name, 0, Content, Content.Length, ("X-File-Name", Name));
        await a.PrintsAsync(static line => line == $"completing {Name} 1");

        Task<HttpResponseMessage> pending = b.Client.AppendAsync(Name, Content.Length, [], Content.Length);
        a.Kill();
        await Assert.ThrowsAsync<HttpRequestException>(() => sent);
        using HttpResponseMessage response = await pending;
        Assert.Equal((HttpStatusCode.OK, $"finished {Name} in {b.Id}"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        await b.PrintsAsync(static line => line == $"completing {Name} 2");
        Assert.Equal(2, directory.RunsOf(Name));
        directory.AssertFinished(Name, Content);
    }

    [Fact]
    public async Task Handler_moves_its_file_while_its_lease_is_renewed()
    {
        using var directory = new UploadDirectory();

        // The lease is renewed without a pause, so that a renewal and the move overlap. A lease this short is also lost at times; then the client asks again.
        await using ChildHost child = await ChildHost.StartAsync(directory.Root, "ResumableUploads:FileSystem:Durability=ProcessCrash", "ResumableUploads:Handler:LeaseDuration=00:00:00.004");
        for (int i = 0; i < 50; i++)
        {
            string name = $"file-{i}-";
            byte[] content = Content[..(1000 + i)];
            HttpResponseMessage response = await child.Client.AppendAsync(name, 0, content, null, ("X-File-Name", name));
            for (int attempt = 0; attempt < 100 && response.Header("X-Upload-Complete") is not "true"; attempt++)
            {
                Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
                response.Dispose();
                response = await child.Client.AppendAsync(name, content.Length, [], content.Length);
            }

            using (response)
            {
                Assert.Equal("true", response.Header("X-Upload-Complete"));
            }

            directory.AssertFinished(name, content);
        }
    }

    [Theory]
    [InlineData("die-before", "ProcessCrash")]
    [InlineData("die-after", "ProcessCrash")]
    [InlineData("die-before", "PowerLoss")]
    [InlineData("die-after", "PowerLoss")]
    public async Task Kill_at_the_move_of_a_completed_file_neither_loses_nor_duplicates_it(string handler, string durability)
    {
        using var directory = new UploadDirectory();
        string[] options = [$"ResumableUploads:FileSystem:Durability={durability}", "ResumableUploads:Handler:LeaseDuration=00:00:02"];
        int lostLeases = 0;

        // A lease that a busy machine lost fails its run; then the client asks again.
        async Task<HttpResponseMessage> AppendAsync(ChildHost host, int offset)
        {
            HttpResponseMessage response = await host.Client.AppendAsync(Name, offset, Content[offset..], Content.Length, ("X-File-Name", Name));
            for (int attempt = 0; attempt < 20 && response.StatusCode == HttpStatusCode.ServiceUnavailable; attempt++)
            {
                lostLeases++;
                response.Dispose();
                response = await host.Client.AppendAsync(Name, Content.Length, [], Content.Length);
            }

            return response;
        }

        // Two kills: the second happens on what the first has left.
        for (int attempt = 1; attempt <= 2; attempt++)
        {
            // The first sweep of the second process runs the handler too, and may kill the process before it listens.
            await using ChildHost? dying = attempt == 1
                ? await ChildHost.StartAsync(directory.Root, [.. options, $"Handler={handler}"])
                : await ChildHost.TryStartAsync(directory.Root, [.. options, $"Handler={handler}"]);
            if (dying is not null)
            {
                await Assert.ThrowsAnyAsync<HttpRequestException>(() => AppendAsync(dying, attempt == 1 ? 0 : Content.Length));
                await dying.EndAsync();
            }

            Assert.InRange(directory.RunsOf(Name), attempt, attempt + lostLeases);
            Assert.Equal(handler == "die-after", File.Exists(Path.Combine(directory.Finished, Name)));
        }

        await using ChildHost child = await ChildHost.StartAsync(directory.Root, options);
        Assert.Equal(Content.Length, await child.Client.StatusAsync(Name));
        using HttpResponseMessage response = await AppendAsync(child, Content.Length);
        Assert.Equal((HttpStatusCode.OK, $"finished {Name} in {child.Id}"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        directory.AssertFinished(Name, Content);
        Assert.InRange(directory.RunsOf(Name), 3, 3 + lostLeases);
    }
}
