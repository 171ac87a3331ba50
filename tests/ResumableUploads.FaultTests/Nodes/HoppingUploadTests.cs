using ResumableUploads.FaultTests.Network;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>Uploads in all protocols that continue at another node after each cut, while the nodes are killed in turn. RESUMABLE_UPLOADS_ROUNDS multiplies their number.</summary>
[Collection(typeof(Alone))]
public class HoppingUploadTests(ITestOutputHelper output)
{
    private const int MinSize = 1000;
    private const int MaxSize = 300_000;
    private const int CutsPerKill = 60;
    private static readonly int Uploads = 25 * NetworkRuns.Rounds;
    private static readonly int MaxKills = 5 * NetworkRuns.Rounds;
    private static readonly string[] Protocols = [ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf];

    private static readonly string[] Options =
    [
        "ResumableUploads:FileSystem:SyncSize=30000",
        "ResumableUploads:Limits:MaxAppendsPerOwner=10000",
        "ResumableUploads:Handler:LeaseDuration=00:00:02",
        "ResumableUploads:Handler:MaxAttempts=1000000",
        "ResumableUploads:Handler:RetryDelay=00:00:00",
        "ResumableUploads:Timeouts:SweepInterval=00:00:01",
    ];

    [Theory]
    [MemberData(nameof(NodeStorage.Stores), MemberType = typeof(NodeStorage))]
    public async Task Uploads_that_hop_between_two_nodes_finish_with_equal_content(string store)
    {
        await using NodeStorage storage = await NodeStorage.StartAsync(store);
        await using NodePair nodes = await NodePair.StartAsync(storage, Options);
        var random = new Random(17);
        List<HoppingUpload> uploads = [.. Enumerable.Range(0, Uploads).Select(i => Create(i, random))];
        int cuts = 0;
        using var killing = new SemaphoreSlim(1);

        // The upload of the cut waits for the kill, so that the uploads do not end before a slow machine has started the node again.
        async Task CutAsync()
        {
            int count = Interlocked.Increment(ref cuts);
            if (count % CutsPerKill == 0 && count <= MaxKills * CutsPerKill)
            {
                await killing.WaitAsync();
                await nodes.KillNextAsync();
                killing.Release();
            }
        }

        await Task.WhenAll(uploads.Select(upload => Task.Run(() => upload.SendAsync(nodes, CutAsync))));

        // A handler whose node was killed runs again when the lease is over.
        await Eventually.TrueAsync(
            () => uploads.TrueForAll(upload => File.Exists(Path.Combine(storage.Directory.Finished, upload.Name))), $"{Uploads} uploads have finished");
        foreach (HoppingUpload upload in uploads)
        {
            storage.Directory.AssertFinished(upload.Name, upload.Source);
            await upload.ReadHalfOpenAsync();
            await upload.DisposeAsync();
        }

        int takenOver = uploads.Sum(static upload => upload.TakenOver);
        output.WriteLine($"{cuts} cuts, {nodes.Kills} kills, {takenOver} connections were informed of a takeover, {uploads.Sum(u => storage.Directory.RunsOf(u.Name))} handler runs");
        Assert.InRange(nodes.Kills, 2, int.MaxValue);
        Assert.InRange(takenOver, 1, int.MaxValue);
    }

    private static HoppingUpload Create(int number, Random random)
    {
        byte[] source = new byte[MinSize + random.Next(MaxSize - MinSize)];
        random.NextBytes(source);
        return new HoppingUpload($"hopping-{number}-.bin", WireProtocol.Of(Protocols[number % Protocols.Length]), source, random.Next());
    }
}
