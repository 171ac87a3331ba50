using System.Globalization;
using System.Net;
using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;
using ResumableUploads.Client;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>Measures the .NET client, compared with a plain <see cref="HttpClient"/> that sends the same file to the same server in one request.</summary>
internal static class ClientCase
{
    private const int WarmUps = 3;
    private const double MiB = 1024 * 1024;
    private static int s_count;

    public static void Run(BenchmarkArguments run, WorkDirectory workDirectory, Report report)
    {
        string file = Path.Combine(workDirectory.CreateSubdirectory("source"), "file.bin");
        CreateFile(file, run.LargeSize);
        string uploads = workDirectory.CreateSubdirectory("uploads");
        using ServerProcess server = ServerProcess.Start(new ServeArguments(ServerKind.Ours, uploads, LargeBuffers: true));
        using var httpClient = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}"), Timeout = Timeout.InfiniteTimeSpan };
        InterleavedRounds<ClientResult> rounds = InterleavedRounds<ClientResult>.Measure(
            WarmUps,
            run.Rounds,
            () => Measure(uploads, run.LargeSize, () => SendPlainAsync(httpClient, file)),
            () => Measure(uploads, run.LargeSize, () => SendAsync(httpClient, file, Client.UploadProtocol.FileId)),
            () => Measure(uploads, run.LargeSize, () => SendAsync(httpClient, file, Client.UploadProtocol.Tus)),
            () => Measure(uploads, run.LargeSize, () => SendAsync(httpClient, file, Client.UploadProtocol.Ietf)),
            () => Measure(uploads, run.LargeSize, () => SendAsync(httpClient, file, Client.UploadProtocol.FileId, UploadDigest.Sha256)));
        string[] names = ["client, file-id", "client, tus", "client, IETF", "client, file-id with SHA-256"];
        for (int side = 1; side <= names.Length; side++)
        {
            report.Add(names[side - 1], "MB/s", "0", rounds.Compare(side, 0, static result => result.Rate), side < names.Length ? 0.95 : null);
        }

        report.AddAbsolute("client, file-id", "MiB allocated per upload", "0.0", rounds.Median(1, static result => result.Allocated / MiB), rounds.Median(0, static result => result.Allocated / MiB), atMost: 1);
    }

    private static ClientResult Measure(string uploads, long size, Func<Task> send)
    {
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        long start = TimeProvider.System.GetTimestamp();
        send().GetAwaiter().GetResult();
        TimeSpan time = TimeProvider.System.GetElapsedTime(start);
        allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
        WorkDirectory.TruncateFiles(uploads);
        return new ClientResult(size / time.TotalSeconds / 1e6, allocated);
    }

    private static string NextId() => Interlocked.Increment(ref s_count).ToString(CultureInfo.InvariantCulture);

    private static async Task SendAsync(HttpClient httpClient, string file, Client.UploadProtocol protocol, UploadDigest digest = UploadDigest.None)
    {
        var options = new UploadOptions { Protocol = protocol, Id = NextId(), Digest = digest };
        await new ResumableUploadClient(httpClient).UploadAsync(new Uri("upload", UriKind.Relative), file, options);
    }

    private static async Task SendPlainAsync(HttpClient httpClient, string file)
    {
        await using FileStream stream = File.OpenRead(file);
        using var request = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = new StreamContent(stream) };
        request.Headers.Add("X-File-Id", NextId());
        request.Headers.Add("X-File-Size", stream.Length.ToString(CultureInfo.InvariantCulture));
        using HttpResponseMessage response = await httpClient.SendAsync(request);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new InvalidOperationException($"The server responded with {response.StatusCode}.");
        }
    }

    private static void CreateFile(string path, long size)
    {
        using FileStream file = File.Create(path);
        byte[] block = new byte[1024 * 1024];
        for (long written = 0; written < size; written += block.Length)
        {
            Random.Shared.NextBytes(block);
            file.Write(block);
        }
    }

    /// <summary>One measurement.</summary>
    /// <param name="Rate">MB per second.</param>
    /// <param name="Allocated">The bytes that the client process has allocated.</param>
    private readonly record struct ClientResult(double Rate, long Allocated);
}
