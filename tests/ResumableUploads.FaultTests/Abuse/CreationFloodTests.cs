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
        const int Count = 5_000;
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

        ServerUsage first = server.Usage();
        ServerUsage last = first;
        TimeSpan processor = default;
        double rate = 0;
        (int rounds, string growths) = await server.AssertKeepsNoMemoryAsync(
            async round =>
            {
                long began = Stopwatch.GetTimestamp();
                ServerUsage before = server.Usage();
                await Task.WhenAll(
                    Pipeline.SendAsync(server.Address, round * Count, Count, number => Creation(headers, number), See),
                    server.AssertServesOtherOwnerAsync());
                rate = Count / Stopwatch.GetElapsedTime(began).TotalSeconds;
                last = server.Usage();
                first = round == 0 ? last : first;
                processor = last.Processor - before.Processor;
            },
            MaxGrowth);
        output.WriteLine(
            $"{protocol}: {rate:f0} creations a second, {processor.TotalMicroseconds / Count:f0} us of processor for each, {growths}, {last.Handles} handles");

        int made = protocol == "file-id" ? statuses[200] : statuses[201];
        Assert.Equal((Max, (rounds * Count) - Max, 2), (made, statuses[429], statuses.Count));
        Assert.Equal(already + Max + rounds, server.CountUploads());
        await AbusedServer.WaitUntilAsync(() => server.Usage().Handles < first.Handles + 20, "no handle is held for a rejected creation");
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
