using System.Globalization;
using System.Security.Cryptography;
using ResumableUploads.Tests.Browser;
using ResumableUploads.Tests.Tus.Clients;

namespace ResumableUploads.Tests.Ietf.Clients;

/// <summary>
/// The tus-js-client to come under Node, where it is told to speak the draft: what it does in its own protocol, as far as the draft has it. (Parts side
/// by side are not in the draft; and the client never finishes an empty file, which it takes for finished when it is made.)
/// </summary>
public class TusJsClientTests(SharedSampleHost shared, ITestOutputHelper output) : IClassFixture<SharedSampleHost>
{
    private const string Draft03 = "tus-js-client-next:ietf-draft-03";
    private const string Draft05 = "tus-js-client-next:ietf-draft-05";
    private const int Large = 40_000_000;

    private readonly SampleHostProcess _host = shared.Host;

    [Theory]
    [InlineData(Draft03, "bytes", 12_000)]
    [InlineData(Draft05, "bytes", 12_000)]
    [InlineData(Draft03, "file", Large)]
    [InlineData(Draft05, "file", Large)]
    public Task A_file_arrives_in_one_request(string client, string scenario, int size) => SendAsync(client, scenario, size, ["POST - 201", "PATCH 0 201"]);

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_in_chunks(string client) =>
        SendAsync(client, "chunks", 10_000_000, ["POST - 201", "PATCH 0 201", "PATCH 3000000 201", "PATCH 6000000 201", "PATCH 9000000 201"]);

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_stream_of_unknown_length_arrives(string client) =>
        SendAsync(client, "deferred", 2_500_000, ["POST - 201", "PATCH 0 201", "PATCH 1000000 201", "PATCH 2000000 201"]);

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_with_its_creation(string client) => SendAsync(client, "duringCreation", 10_000_000, ["POST - 201"]);

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_begins_with_its_creation_and_goes_on_in_chunks(string client) =>
        SendAsync(client, "duringCreationInChunks", 10_000_000, ["POST - 201", "PATCH 3000000 201", "PATCH 6000000 201", "PATCH 9000000 201"]);

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public Task A_file_arrives_by_POST_alone(string client) =>
        SendAsync(client, "methodOverride", 10_000_000, ["POST - 201", "POST 0 201", "POST 3000000 201", "POST 6000000 201", "POST 9000000 201"]);

    [Theory]
    [InlineData(Draft03, "Überraschung für Zoë.bin")]
    [InlineData(Draft05, "文件 🎬 ملف.bin")]
    public async Task A_file_keeps_its_name_in_any_language(string client, string name)
    {
        using var file = new SourceFile(name, 12_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "bytes", _host.Address, seed: 0, file);
        await sender.EndAsync();
        await AssertArrivedAsync(file);
    }

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task Twenty_files_arrive_at_once(string client)
    {
        SourceFile[] files = [.. Enumerable.Range(0, 20).Select(i => new SourceFile($"{client.Split(':')[1]} one of twenty {i:00}.bin", 500_000 + i))];
        try
        {
            await using NodeClient sender = await NodeClient.StartAsync(client, "manyAtOnce", _host.Address, seed: 0, files);
            await sender.EndAsync();
            foreach (SourceFile file in files)
            {
                await AssertArrivedAsync(file);
            }

            Assert.Equal(20, sender.Answers.Count(static answer => answer == "PATCH 0 201"));
        }
        finally
        {
            Array.ForEach(files, static file => file.Dispose());
        }
    }

    [Theory]
    [InlineData(Draft03)]
    [InlineData(Draft05)]
    public async Task A_file_that_is_stopped_ten_times_arrives_whole(string client)
    {
        int seed = RandomNumberGenerator.GetInt32(int.MaxValue);
        output.WriteLine($"Seed {seed}.");
        using var file = new SourceFile($"{client.Split(':')[1]} stopped.bin", Large);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", _host.Address, seed, file);
        await sender.EndAsync();
        await AssertArrivedAsync(file);

        Assert.Equal(10, sender.Answers.Count(static answer => answer == "HEAD - 204"));
        Assert.Equal(1, sender.Answers.Count(static answer => answer.StartsWith("POST", StringComparison.Ordinal)));
        Assert.DoesNotContain(sender.Answers, static answer => answer[^3] != '2');
        long[] offsets =
        [
            .. sender.Requests.Where(static request => request.StartsWith("PATCH", StringComparison.Ordinal))
                .Select(static request => long.Parse(request.Split(' ')[1], CultureInfo.InvariantCulture)),
        ];
        Assert.Equal(offsets.Order(), offsets);
        Assert.NotEqual(0, offsets[^1]);
    }

    [Theory]
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
        Assert.Equal(["POST - 201", "HEAD - 204", $"PATCH {kept} 201"], sender.Answers);
    }

    private async Task SendAsync(string client, string scenario, int size, string[] answers)
    {
        using var file = new SourceFile($"{client.Split(':')[1]} {scenario} {size}.bin", size);
        await using NodeClient sender = await NodeClient.StartAsync(client, scenario, _host.Address, seed: 0, file);
        await sender.EndAsync();
        Assert.Equal(answers, sender.Answers);
        await AssertArrivedAsync(file);
    }

    private async Task AssertArrivedAsync(SourceFile file)
    {
        string path = Assert.Single(_host.Arrived, path => Path.GetFileName(path) == file.Name);
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(path));
    }
}
