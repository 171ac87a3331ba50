using System.Security.Cryptography;

namespace ResumableUploads.FunctionalTests.Clients.Tus;

/// <summary>
/// The real tus-js-client under Node against the sample host: the stable version; the one to come; and that one where it is told to speak the IETF draft,
/// as far as the draft goes. (It has no parts side by side; and there the client takes an empty file for finished when it is made, and never finishes it.)
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
    public Task A_file_arrives_in_one_request(string client, string scenario, int size) =>
        SendAsync(client, scenario, size, ["POST - 201", "PATCH 0 {piece}"]);

    [Theory]
    [InlineData(Stable, "bytes")]
    [InlineData(Next, "bytes")]
    [InlineData(Stable, "file")]
    [InlineData(Next, "file")]
    [InlineData(Stable, "duringCreation")]
    [InlineData(Next, "duringCreation")]
    public Task An_empty_file_arrives_with_its_creation(string client, string scenario) =>
        SendAsync(client, scenario, 0, ["POST - 201"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_in_chunks(string client) =>
        SendAsync(client, "chunks", 10_000_000, ["POST - 201", "PATCH 0 {piece}", "PATCH 3000000 {piece}", "PATCH 6000000 {piece}", "PATCH 9000000 {piece}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_stream_of_unknown_length_arrives(string client) =>
        SendAsync(client, "deferred", 2_500_000, ["POST - 201", "PATCH 0 {piece}", "PATCH 1000000 {piece}", "PATCH 2000000 {piece}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_with_its_creation(string client) => SendAsync(client, "duringCreation", 10_000_000, ["POST - 201"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_begins_with_its_creation_and_goes_on_in_chunks(string client) =>
        SendAsync(client, "duringCreationInChunks", 10_000_000, ["POST - 201", "PATCH 3000000 {piece}", "PATCH 6000000 {piece}", "PATCH 9000000 {piece}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_by_POST_alone(string client) =>
        SendAsync(client, "methodOverride", 10_000_000, ["POST - 201", "POST 0 {piece}", "POST 3000000 {piece}", "POST 6000000 {piece}", "POST 9000000 {piece}"]);

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    public async Task A_file_arrives_in_parts_side_by_side_and_the_parts_are_cleared(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("in parts.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "parallel", host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(5, sender.Answers.Count(static answer => answer == "POST - 201"));
        Assert.Equal(4, sender.Answers.Count(answer => answer == Told(client, "PATCH 0 {piece}")));
        await file.AssertArrivedAloneAsync(host);
        Assert.Empty(Directory.GetFiles(host.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    public async Task Parts_that_are_stopped_go_on_where_they_were(string client)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} stopped in parts.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "parallelStopped", _host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(5, sender.Answers.Count(static answer => answer == "POST - 201"));
        Assert.DoesNotContain(sender.Answers, static answer => answer[^3] != '2');
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
    public async Task A_file_keeps_its_name_in_any_language(string client, string name)
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
    public async Task Twenty_files_arrive_at_once(string client)
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

            Assert.Equal(20, sender.Answers.Count(answer => answer == Told(client, "PATCH 0 {piece}")));
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
    public async Task A_file_that_is_stopped_ten_times_arrives_whole(string client)
    {
        int seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        output.WriteLine($"Seed {seed}.");
        using var file = new SourceFile($"{client.Replace(':', ' ')} stopped.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", _host.Address, seed, file);
        await sender.EndAsync();
        await AssertArrivedAsync(file);

        output.WriteLine(string.Join("; ", sender.Answers));
        Assert.InRange(sender.Corrections, 0, 10);
        Assert.Equal(10 + sender.Corrections, sender.Answers.Count(answer => answer == Told(client, "HEAD - {head}")));
        Assert.Equal(1, sender.Answers.Count(static answer => answer.StartsWith("POST", StringComparison.Ordinal)));
        Assert.Equal(sender.Corrections, sender.Answers.Count(static answer => answer[^3] != '2'));
        long[] offsets = [.. sender.Requests.Where(static request => request.StartsWith("PATCH", StringComparison.Ordinal)).Select(OffsetOf)];
        Assert.Equal(offsets.Order(), offsets);
        Assert.NotEqual(0, offsets[^1]);
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task A_file_that_is_given_up_leaves_nothing(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("given up.bin", 10_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "terminated", host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Contains("DELETE - 204", sender.Answers);
        Assert.Empty(host.Arrived);
        Assert.Empty(Directory.GetFiles(host.Directory, "*.data", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(Stable)]
    [InlineData(Next)]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task A_file_arrives_whole_when_the_server_is_killed_in_the_middle_and_started_again(string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        using var file = new SourceFile("killed.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "serverKilled", host.Address, seed: 0, file);
        await sender.PrintsAsync("silent");
        await host.HasOnDiskAsync(5_000_000);
        await host.KillAsync();
        long kept = host.BytesOnDisk;
        await host.StartAgainAsync();

        await sender.EndAsync();
        await file.AssertArrivedAloneAsync(host);
        Assert.Equal(["POST - 201", Told(client, "HEAD - {head}"), Told(client, $"PATCH {kept} {{piece}}")], sender.Answers);
    }

    private static long OffsetOf(string request) => long.Parse(request.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);

    private async Task SendAsync(string client, string scenario, int size, string[] answers)
    {
        using var file = new SourceFile($"{client.Replace(':', ' ')} {scenario} {size}.bin", size);
        await using NodeClient sender = await NodeClient.StartAsync(client, scenario, _host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(answers.Select(answer => Told(client, answer)), sender.Answers);
        await AssertArrivedAsync(file);
    }

    /// <summary>The same answer in the words of the protocol: to a piece that is kept, and to the question for the offset.</summary>
    private static string Told(string client, string answer)
    {
        (string piece, string head) = client.Contains(':', StringComparison.Ordinal) ? ("201", "204") : ("204", "200");
        return answer.Replace("{piece}", piece, StringComparison.Ordinal).Replace("{head}", head, StringComparison.Ordinal);
    }

    private async Task AssertArrivedAsync(SourceFile file)
    {
        string path = Assert.Single(_host.Arrived, path => Path.GetFileName(path) == file.Name);
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
    }
}
