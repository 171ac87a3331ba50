using System.Security.Cryptography;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>Uploads that clients start and abandon.</summary>
[Collection<Alone>]
public class AbandonedUploadsTests(ITestOutputHelper output)
{
    private const int KiB = 1024;
    private const int UploadsPerOwner = 10;
    private const int BrokenOff = 10;
    private const int FirstBytes = 20;
    private const int FewHandles = 50;

    /// <summary>The memory allowed for each owner: quotas are cached for some minutes, in about 1 KiB. No memory is kept for an upload.</summary>
    private const long MaxMemoryPerOwner = 3 * KiB / 2;

    private const long MaxGrowth = 512 * KiB;

    [Fact]
    public async Task Abandoned_uploads_keep_no_memory_in_the_server()
    {
        int count = AbuseSettings.Abandoned / 2;
        await using AbusedServer server = await AbusedServer.StartAsync("ResumableUploads:FileSystem:Durability=ProcessCrash");
        await server.AssertServesOtherOwnerAsync();
        ServerUsage before = server.Usage();
        int already = server.CountUploads();

        (int rounds, string growths) = await server.AssertKeepsNoMemoryAsync(
            round => Task.WhenAll(AbandonAsync(server, round * count, count), server.AssertServesOtherOwnerAsync()),
            MaxGrowth + (count / UploadsPerOwner * MaxMemoryPerOwner));
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < before.Handles + FewHandles, "no handle is held for an abandoned upload");

        // A request that was reset early may not have created an upload.
        count *= rounds;
        Assert.InRange(server.CountUploads() - already - rounds, count - (count / BrokenOff), count);
        ServerUsage after = server.Usage();
        output.WriteLine(
            $"{count} uploads of {count / UploadsPerOwner} owners: {growths}, {after.Memory / KiB / KiB} MiB private, "
            + $"{before.Handles} handles before and {after.Handles} after, {(after.Processor - before.Processor).TotalMicroseconds / count:f0} us of processor for each");
        await server.AssertServesOtherOwnerAsync();

        // Abandoned uploads are kept: a client that reconnects can resume them.
        foreach (int number in new[] { 1, (count / 2) + 1, count - 1 })
        {
            Assert.Equal(FirstBytes, await server.StatusAsync(FileId(number), AbusedServer.Cookie(number / UploadsPerOwner)));
        }
    }

    [Fact]
    public async Task Full_memory_store_rejects_creations_and_completes_existing_uploads()
    {
        const int Cap = 4096 * KiB;
        const long MaxGrowthWhenFull = Cap + (1024 * KiB);
        await using AbusedServer server = await AbusedServer.StartAsync(
            $"MemoryStore={Cap}", $"ResumableUploads:Limits:MaxUploadsPerOwner={int.MaxValue}");
        await server.AssertServesOtherOwnerAsync(size: 1 << 20);
        byte[] content = RandomNumberGenerator.GetBytes(3000);
        string[] started = [.. Enumerable.Range(0, 10).Select(static i => $"started-{i}.bin")];
        foreach (string name in started)
        {
            Assert.Equal(200, await server.Client.AppendAsync(name, 0, content[..2999], content.Length).StatusOfAsync());
        }

        // The pools of the server grow in some rounds. What the store keeps is limited in each.
        long growth = await FillAsync(server, Cap);
        for (int round = 1; round < 3 && growth > MaxGrowthWhenFull; round++)
        {
            await DeleteAllAsync(server, Cap);
            growth = await FillAsync(server, Cap);
        }

        Assert.InRange(growth, 0, MaxGrowthWhenFull);

        foreach (string name in started)
        {
            Assert.Equal(200, await server.Client.AppendAsync(name, 2999, content[2999..], content.Length).StatusOfAsync());
            server.Uploads.AssertFinished(name, content);
        }

        // Deleting uploads frees memory for new ones.
        await DeleteAllAsync(server, Cap);
        await server.AssertServesOtherOwnerAsync(size: 1 << 20);
    }

    /// <summary>Creates uploads until the memory store is full and beyond. Returns the growth of the live memory in bytes.</summary>
    private async Task<long> FillAsync(AbusedServer server, int cap)
    {
        long before = await server.GetLiveMemoryAsync();

        // Half of them send one byte, the other half none.
        int refused = 0;
        int made = 0;
        await Pipeline.SendAsync(server.Address, 0, cap / KiB * 2, static number => Request(number, number % 2, of: number % 2), response =>
        {
            if (response.Status == 200)
            {
                Interlocked.Increment(ref made);
                return;
            }

            Assert.Equal((507, "application/problem+json", "30"), (response.Status, response.Header("Content-Type"), response.Header("Retry-After")));
            Interlocked.Increment(ref refused);
        });
        long growth = await server.GetLiveMemoryAsync() - before;
        output.WriteLine($"a cap of {cap / KiB} KiB: {made} uploads made, {refused} refused, {growth / KiB} KiB more alive");
        Assert.InRange(made, 1, cap / KiB);
        Assert.InRange(refused, 1, int.MaxValue);
        return growth;
    }

    private static Task DeleteAllAsync(AbusedServer server, int cap) => Pipeline.SendAsync(
        server.Address, 0, cap / KiB * 2, static number => Head("DELETE", number) + "\r\n", static response => Assert.Equal(204, response.Status));

    /// <summary>Sends the first bytes of each upload: most in a request that ends normally, some in one that is aborted.</summary>
    private static async Task AbandonAsync(AbusedServer server, int first, int count)
    {
        foreach (int number in Enumerable.Range(first, count).Where(static number => number % BrokenOff == 0))
        {
            Pipeline.Break(server.Address, Request(number, 1000), withReset: number % (2 * BrokenOff) == 0);
        }

        await Pipeline.SendAsync(
            server.Address,
            first,
            count,
            static number => number % BrokenOff == 0 ? $"GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File-Id: unknown\r\n\r\n" : Request(number, FirstBytes),
            static response => Assert.Equal(200, response.Status));
    }

    private static string FileId(int number) => $"abandoned-{number}";

    private static string Request(int number, int length, int of = FirstBytes) =>
        Head("POST", number) + $"X-File-Size: 1000\r\nContent-Length: {length}\r\n\r\n" + new string('x', of);

    private static string Head(string method, int number) =>
        $"{method} /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nX-File-Id: {FileId(number)}\r\nCookie: {AbusedServer.Cookie(number / UploadsPerOwner)}\r\n";
}
