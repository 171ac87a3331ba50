using System.Globalization;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.S3;

namespace ResumableUploads.FaultTests.Abuse;

/// <summary>
/// The memory of a server, observed from outside, that stores many uploads at once in S3. At first, the service does not answer, so that all memory that uploads may use is in
/// use; then all uploads are stored as fast as possible.
/// </summary>
[Collection<Alone>]
public class ObjectStoreMemoryTests(ITestOutputHelper output)
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;
    private const int Uploads = 100;
    private const int Budget = 64 * MiB;
    private const int UploadLength = 8 * MiB;
    private const string Bucket = "uploads";

    /// <summary>The objects of the app and of the requests.</summary>
    private const int OtherMemory = 32 * MiB;

    [Theory]
    [InlineData(1, 64)]
    [InlineData(16, 1024)]
    public async Task Hundred_uploads_at_a_time_keep_the_byte_budget(int segmentMiB, int readBufferKiB)
    {
        var service = new FakeS3Server();
        await service.InitializeAsync();
        await using (service)
        {
            await service.CreateBucketAsync(Bucket);
            await using AbusedServer server = await AbusedServer.StartAsync(
                $"S3={service.ServiceUrl}", $"Bucket={Bucket}", Number("SegmentSize", segmentMiB * MiB), Number("MaxBufferedBytes", Budget),
                Number("ReadBuffer", readBufferKiB * KiB));
            await server.AssertServesOtherOwnerAsync();
            long few = server.Usage().Memory;

            long waiting = 0;
            var answers = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            service.DropsContent = true;
            service.BeforeAsync = async request =>
            {
                if (request.IsData)
                {
                    Interlocked.Add(ref waiting, request.Headers.ContentLength ?? 0);
                    await answers.Task;
                }
            };
            byte[] content = new byte[UploadLength];
            new Random(1).NextBytes(content);
            Task<HttpResponseMessage>[] uploads = [.. Enumerable.Range(1, Uploads).Select(i => server.Client.AppendAsync(
                $"memory-{i}", 0, content, UploadLength + 1, ("Cookie", AbusedServer.Cookie(i))))];
            long stalled = 0;
            long rounds = 0;
            await AbusedServer.WaitUntilAsync(
                () =>
                {
                    long memory = server.Usage().Memory;
                    rounds = memory > stalled ? 0 : rounds + 1;
                    stalled = Math.Max(stalled, memory);

                    // A segment may be stored before it is full, so that less than the budget waits for the service.
                    return Interlocked.Read(ref waiting) > Budget / 16 && rounds >= 40;
                },
                "all memory that uploads may use is in use");
            long most = stalled;
            long live = await server.GetLiveMemoryAsync();
            Task<HttpResponseMessage[]> all = Task.WhenAll(uploads);
            answers.SetResult();
            await AbusedServer.WaitUntilAsync(
                () =>
                {
                    most = Math.Max(most, server.Usage().Memory);
                    return all.IsCompleted;
                },
                "all uploads are stored");
            foreach (HttpResponseMessage response in await all)
            {
                Assert.Equal(200, (int)response.StatusCode);
                Assert.Equal(UploadLength.ToString(CultureInfo.InvariantCulture), await response.Content.ReadAsStringAsync());
                response.Dispose();
            }

            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Uploads} uploads at a time, budget of {Budget / MiB} MiB, segments of {segmentMiB} MiB, read buffers of {readBufferKiB} KiB: {live / MiB} MiB live and {stalled / MiB} MiB private while the service did not answer, at most {most / MiB} MiB private ({few / MiB} with a few uploads)"));
            Assert.InRange(live, 0, Budget + (Uploads * readBufferKiB * KiB) + OtherMemory);
        }
    }

    private static string Number(string name, int value) => string.Create(CultureInfo.InvariantCulture, $"{name}={value}");
}
