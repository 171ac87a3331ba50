using System.Collections.Concurrent;
using System.Diagnostics;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>One owner that creates uploads as fast as possible.</summary>
[Collection<Alone>]
public class CreationFloodTests(ITestOutputHelper output)
{
    private const int KiB = 1024;
    private const int Owner = 1;

    /// <summary>The limit for all uploads together, not for each.</summary>
    private const long MaxGrowth = 256 * KiB;

    /// <summary>A creation request without content, for each protocol.</summary>
    public static TheoryData<string, string> Creations => new()
    {
        { "file-id", "X-File-Id: flood-{0}\r\nX-File-Size: 10\r\n" },
        { "tus", "Tus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n" },
        { "ietf", "Upload-Draft-Interop-Version: 10\r\nUpload-Complete: ?0\r\nUpload-Length: 10\r\n" },
    };

    [Theory]
    [MemberData(nameof(Creations))]
    public async Task Creations_beyond_the_owner_limit_are_rejected_and_create_nothing(string protocol, string headers)
    {
        const int Max = 100;
        const int Count = 10_000;
        await using AbusedServer server = await AbusedServer.StartAsync($"ResumableUploads:Limits:MaxUploadsPerOwner={Max}");
        await server.AssertServesOtherOwnerAsync();
        int already = server.CountUploads();
        var statuses = new ConcurrentDictionary<int, int>();
        void See(RawResponse response)
        {
            statuses.AddOrUpdate(response.Status, 1, static (_, count) => count + 1);
            if (response.Status == 429)
            {
                Assert.Equal(("application/problem+json", "60"), (response.Header("Content-Type"), response.Header("Retry-After")));
                Assert.Contains(ProblemExpectations.Own + "too-many-uploads", response.Body, StringComparison.Ordinal);
            }
        }

        await Pipeline.SendAsync(server.Address, 0, Count / 2, number => Creation(headers, number), See);
        ServerUsage half = server.Usage();
        long aliveAtHalf = await server.GetLiveMemoryAsync();
        long began = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Pipeline.SendAsync(server.Address, Count / 2, Count / 2, number => Creation(headers, number), See),
            server.AssertServesOtherOwnerAsync());
        double rate = Count / 2 / Stopwatch.GetElapsedTime(began).TotalSeconds;
        ServerUsage after = server.Usage();
        long alive = await server.GetLiveMemoryAsync();
        output.WriteLine(
            $"{protocol}: {rate:f0} creations a second, {(after.Processor - half.Processor).TotalMicroseconds / (Count / 2):f0} us of processor for each, "
            + $"{(alive - aliveAtHalf) / KiB} KiB more alive, {after.Handles} handles");

        int made = protocol == "file-id" ? statuses[200] : statuses[201];
        Assert.Equal((Max, Count - Max, 2), (made, statuses[429], statuses.Count));
        Assert.Equal(already + Max + 1, server.CountUploads());
        Assert.InRange(alive - aliveAtHalf, long.MinValue, MaxGrowth);
        Assert.InRange(after.Handles - half.Handles, int.MinValue, 20);
        await server.AssertServesOtherOwnerAsync();
    }

    [Fact]
    public async Task Creations_within_a_higher_limit_keep_no_memory()
    {
        int count = AbuseSettings.Abandoned / 4;
        await using AbusedServer server = await AbusedServer.StartAsync($"ResumableUploads:Limits:MaxUploadsPerOwner={int.MaxValue}", "ResumableUploads:FileSystem:Durability=ProcessCrash");
        await server.AssertServesOtherOwnerAsync();
        string Request(int number) => Creation("Tus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n", number);
        static void See(RawResponse response) => Assert.Equal(201, response.Status);
        (_, string growths) = await server.AssertKeepsNoMemoryAsync(round => Pipeline.SendAsync(server.Address, round * count, count, Request, See), MaxGrowth);
        output.WriteLine($"{count} uploads in each round: {growths}");
        await server.AssertServesOtherOwnerAsync();
    }

    private static string Creation(string headers, int number) =>
        $"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nCookie: {AbusedServer.Cookie(Owner)}\r\n{headers.Replace("{0}", number.ToString(), StringComparison.Ordinal)}\r\n";
}
