using System.Security.Cryptography;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>
/// Runs tus-js-client under Node against the sample host: the stable version, the prerelease, and the prerelease with the IETF draft protocol. The draft
/// has no parallel uploads. With the draft, the client regards an empty file as complete once it is created, and never completes it.
/// </summary>
public class TusJsClientTests(SharedSampleHost shared, ITestOutputHelper output) : IClassFixture<SharedSampleHost>
{
    private const string Stable = "tus-js-client";
    private const string Next = "tus-js-client-next";
    private const string Draft03 = Next + ":ietf-draft-03";
    private const string Draft05 = Next + ":ietf-draft-05";
    private const int Large = 40_000_000;

    private readonly SampleHostProcess _host = shared.Host;

    [Theory]
    [InlineData(Stable, "bytes", 12_000)]
    [InlineData(Next, "bytes", 12_000)]
    [InlineData(Draft03, "bytes", 12_000)]
    [InlineData(Draft05, "bytes", 12_000)]
    [InlineData(Stable, "file", Large)]
    [InlineData(Next, "file", Large)]
    [InlineData(Draft03, "file", Large)]
    [InlineData(Draft05, "file", Large)]
    public Task Upload_in_one_request_completes(string client, string scenario, int size) =>
        SendAsync(client, scenario, size, ["POST - 201", "PATCH 0 {chunk}"]);

    [Theory]
    [InlineData(Stable, "bytes")]
    [InlineData(Next, "bytes")]
    [InlineData(Stable, "file")]
    [InlineData(Next, "file")]
    [InlineData(Stable, "duringCreation")]
    [InlineData(Next, "duringCreation")]
    public Task Empty_file_completes_with_its_creation(string client, string scenario) =>
        SendAsync(client, scenario, 0, ["POST - 201"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task Upload_in_chunks_completes(string client) =>
        SendAsync(client, "chunks", 10_000_000, ["POST - 201", "PATCH 0 {chunk}", "PATCH 3000000 {chunk}", "PATCH 6000000 {chunk}", "PATCH 9000000 {chunk}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task Stream_of_unknown_length_completes(string client) =>
        SendAsync(client, "deferred", 2_500_000, ["POST - 201", "PATCH 0 {chunk}", "PATCH 1000000 {chunk}", "PATCH 2000000 {chunk}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task Upload_in_creation_request_completes(string client) => SendAsync(client, "duringCreation", 10_000_000, ["POST - 201"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task Creation_with_first_chunk_and_further_chunks_completes(string client) =>
        SendAsync(client, "duringCreationInChunks", 10_000_000, ["POST - 201", "PATCH 3000000 {chunk}", "PATCH 6000000 {chunk}", "PATCH 9000000 {chunk}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    public Task Upload_with_method_override_completes(string client) =>
        SendAsync(client, "methodOverride", 10_000_000, ["POST - 201", "POST 0 {chunk}", "POST 3000000 {chunk}", "POST 6000000 {chunk}", "POST 9000000 {chunk}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task Upload_behind_a_cache_that_converts_HEAD_to_GET_is_resumed(string client) =>
        SendAsync(client, "resumedBehindCache", 5_000_000, ["POST - 201", "PATCH 0 {chunk}", "HEAD - {head}", "PATCH 3000000 {chunk}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    public async Task Parallel_upload_completes_and_removes_parts(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("in parts.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "parallel", host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(5, sender.Responses.Count(static response => response == "POST - 201"));
        Assert.Equal(4, sender.Responses.Count(response => response == WithStatusCodes(client, "PATCH 0 {chunk}")));
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(Directory.GetFiles(host.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    public async Task Parallel_upload_resumes_stopped_parts(string client)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} stopped in parts.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "parallelStopped", _host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(5, sender.Responses.Count(static response => response == "POST - 201"));
        Assert.Equal(sender.Corrections, sender.Responses.Count(static response => response[^3] != '2'));
        await AssertArrivedAsync(file);
    }

    [Theory]
    [InlineData(Stable, "Überraschung für Zoë.bin")]
    [InlineData(Next, "Überraschung für Zoë.bin")]
    [InlineData(Draft03, "Überraschung für Zoë.bin")]
    [InlineData(Draft05, "Überraschung für Zoë.bin")]
    [InlineData(Stable, "文件 🎬 ملف.bin")]
    [InlineData(Next, "文件 🎬 ملف.bin")]
    [InlineData(Draft03, "文件 🎬 ملف.bin")]
    [InlineData(Draft05, "文件 🎬 ملف.bin")]
    public async Task Upload_keeps_non_ASCII_file_name(string client, string name)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} {name}", 12_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "bytes", _host.Address, seed: 0, file);
        await sender.EndAsync();
        await AssertArrivedAsync(file);
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task Twenty_concurrent_uploads_complete(string client)
    {
        SourceFile[] files = [.. Enumerable.Range(0, 20).Select(i => new SourceFile($"{client.Replace(':', ' ')} one of twenty {i:00}.bin", 500_000 + i))];
        try
        {
            await using NodeClient sender = await NodeClient.StartAsync(client, "manyAtOnce", _host.Address, seed: 0, files);
            await sender.EndAsync();
            foreach (SourceFile file in files)
            {
                await AssertArrivedAsync(file);
            }

            Assert.Equal(20, sender.Responses.Count(response => response == WithStatusCodes(client, "PATCH 0 {chunk}")));
        }
        finally
        {
            Array.ForEach(files, static file => file.Dispose());
        }
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task Upload_stopped_ten_times_completes(string client)
    {
        int seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        using var file = new SourceFile($"{client.Replace(':', ' ')} stopped.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", _host.Address, seed, file);
        await sender.EndAsync();
        await AssertArrivedAsync(file);

        output.WriteLine(string.Join("; ", sender.Responses));
        Assert.Equal(10 + sender.Corrections, sender.Responses.Count(response => response == WithStatusCodes(client, "HEAD - {head}")));
        Assert.Equal(1, sender.Responses.Count(static response => response.StartsWith("POST", StringComparison.Ordinal)));
        Assert.Equal(sender.Corrections, sender.Responses.Count(static response => response[^3] != '2'));
        long[] offsets = [.. sender.Requests.Where(static request => request.StartsWith("PATCH", StringComparison.Ordinal)).Select(OffsetOf)];
        Assert.Equal(offsets.Order(), offsets);
        Assert.NotEqual(0, offsets[^1]);
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task Terminated_upload_leaves_no_files(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("given up.bin", 10_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "terminated", host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Contains("DELETE - 204", sender.Responses);
        Assert.Empty(host.Arrived);
        Assert.Empty(Directory.GetFiles(host.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task Upload_completes_after_server_is_killed_and_restarted(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("killed.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "serverKilled", host.Address, seed: 0, file);
        await sender.PrintsAsync("silent");
        await host.WaitForBytesOnDiskAsync(5_000_000);
        await host.KillAsync();
        long storedLength = host.BytesOnDisk;
        await host.RestartAsync();

        await sender.EndAsync();
        await file.AssertArrivedAloneAsync(host);
        Assert.Equal(["POST - 201", WithStatusCodes(client, "HEAD - {head}"), WithStatusCodes(client, $"PATCH {storedLength} {{chunk}}")], sender.Responses);
    }

    private static long OffsetOf(string request) => long.Parse(request.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private async Task SendAsync(string client, string scenario, int size, string[] responses)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} {scenario} {size}.bin", size);
        await using NodeClient sender = await NodeClient.StartAsync(client, scenario, _host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(responses.Select(response => WithStatusCodes(client, response)), sender.Responses);
        await AssertArrivedAsync(file);
    }

    /// <summary>Fills in the status codes of the protocol of the client: for a stored chunk and for a HEAD request.</summary>
    private static string WithStatusCodes(string client, string response)
    {
        (string chunk, string head) = client.Contains(':', StringComparison.Ordinal) ? ("201", "204") : ("204", "200");
        return response.Replace("{chunk}", chunk, StringComparison.Ordinal).Replace("{head}", head, StringComparison.Ordinal);
    }

    private async Task AssertArrivedAsync(SourceFile file)
    {
        string path = Assert.Single(_host.Arrived, path => Path.GetFileName(path) == file.Name);
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
    }
}
