using System.Net;
using ResumableUploads.FaultTests.Network;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FaultTests.Nodes;

/// <summary>A node is suspended (SIGSTOP) during its appends, another client appends other bytes at the same offsets to another node, and the first node continues.</summary>
[Collection(typeof(Alone))]
public class SuspendedWriterTests(ITestOutputHelper output)
{
    private const int PrefixLength = 1000;
    private const int BodyLength = 20_000;
    private const int Size = PrefixLength + BodyLength + 5000;

    /// <summary>25, multiplied by RESUMABLE_UPLOADS_ROUNDS.</summary>
    private static readonly int Uploads = 25 * NetworkRuns.Rounds;

    private static readonly string[] Options =
    [
        "ResumableUploads:FileSystem:SyncSize=5000",
        "ResumableUploads:Limits:MaxAppendsPerOwner=10000",
        "ResumableUploads:Timeouts:PreemptionTimeout=00:00:01",
        "ResumableUploads:Timeouts:ProgressInterval=00:00:00.0000001",
        "Progress=true",
    ];

    [Theory]
    [MemberData(nameof(NodeStorage.Stores), MemberType = typeof(NodeStorage))]
    public async Task Writer_that_continues_after_a_suspension_is_refused_or_right(string store)
    {
        await using NodeStorage storage = await NodeStorage.StartAsync(store);
        await using NodePair nodes = await NodePair.StartAsync(storage, Options);
        var random = new Random(23);
        List<Conflict> conflicts = [.. Enumerable.Range(0, Uploads).Select(i => new Conflict($"conflict-{i}-.bin", random))];

        await Task.WhenAll(conflicts.Select(conflict => conflict.BeginAsync(nodes)));
        nodes[0].SuspendThreads();
        await Task.WhenAll(conflicts.Select(conflict => conflict.InterfereAsync(nodes)));
        nodes[0].Resume();
        await Task.WhenAll(conflicts.Select(conflict => conflict.ContinueAsync()));
        await Task.WhenAll(conflicts.Select(conflict => conflict.FinishAsync(nodes)));

        Assert.All(conflicts, conflict => conflict.Verify(File.ReadAllBytes(Path.Combine(storage.Directory.Finished, conflict.Name))));
        output.WriteLine($"{conflicts.Count(static c => c.IsFirstAcknowledged)} first writers and {conflicts.Count(static c => c.IsSecondAcknowledged)} second writers were acknowledged.");
        Assert.Contains(conflicts, static conflict => conflict.IsFirstAcknowledged || conflict.IsSecondAcknowledged);
    }

    /// <summary>Two clients that send different bytes at one offset of an upload.</summary>
    private sealed class Conflict(string name, Random random)
    {
        private readonly byte[] _prefix = Bytes(random, PrefixLength);
        private readonly byte[] _first = Bytes(random, BodyLength);
        private readonly byte[] _second = Bytes(random, BodyLength);
        private readonly byte[] _last = Bytes(random, Size);
        private RawConnection? _connection;
        private long _offset;

        public string Name => name;

        public bool IsFirstAcknowledged { get; private set; }

        public bool IsSecondAcknowledged { get; private set; }

        /// <summary>Sends the prefix, and half of the body of the first client. Returns when the node has stored some of the latter.</summary>
        public async Task BeginAsync(NodePair nodes)
        {
            using (HttpResponseMessage created = await nodes[0].Client.AppendAsync(name, 0, _prefix, Size, ("X-File-Name", name)))
            {
                Assert.Equal(HttpStatusCode.OK, created.StatusCode);
            }

            _connection = await RawConnection.OpenAsync(nodes[0].Address);
            await _connection.SendHeadAsync("POST /upload", $"X-File-Id: {name}", $"X-Start-Byte: {PrefixLength}", $"Content-Length: {BodyLength}");
            await _connection.SendAsync(_first.AsMemory(0, BodyLength / 2));
            await nodes[0].PrintsAsync(line => line.StartsWith($"progress {name} ", StringComparison.Ordinal) && !line.EndsWith($" {PrefixLength}", StringComparison.Ordinal));
        }

        /// <summary>Sends the body of the second client to the other node.</summary>
        public async Task InterfereAsync(NodePair nodes)
        {
            using HttpResponseMessage response = await nodes[1].Client.AppendAsync(name, PrefixLength, _second);
            Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict or HttpStatusCode.ServiceUnavailable, $"{name}: {response.StatusCode}");
            IsSecondAcknowledged = response.StatusCode == HttpStatusCode.OK;
        }

        /// <summary>Sends the rest of the body of the first client, and reads its response.</summary>
        public async Task ContinueAsync()
        {
            await using RawConnection connection = _connection!;
            try
            {
                await connection.SendAsync(_first.AsMemory(BodyLength / 2));
            }
            catch (IOException)
            {
                // The node has refused the append and closed the connection. Its response can still be read.
            }

            RawResponse? response = await connection.ReadResponseAsync();
            Assert.True(response is null || response.Status is 200 or 409 or 503, $"{name}: {response?.Status} {response?.Body}");
            IsFirstAcknowledged = response?.Status == 200;
        }

        /// <summary>Completes the upload with other bytes from the offset that the nodes report.</summary>
        public async Task FinishAsync(NodePair nodes)
        {
            await Eventually.TrueAsync(
                async () =>
                {
                    _offset = await nodes[1].Client.StatusAsync(name);
                    using HttpResponseMessage last = await nodes[1].Client.AppendAsync(name, _offset, _last[(int)_offset..]);
                    return last.Header("X-Upload-Complete") == "true";
                },
                $"{name} is complete");
        }

        public void Verify(byte[] content)
        {
            Assert.False(IsFirstAcknowledged && IsSecondAcknowledged, name);
            Assert.Equal(Size, content.Length);
            Assert.Equal(_prefix, content[..PrefixLength]);
            Assert.Equal(_last[(int)_offset..], content[(int)_offset..]);
            byte[] stored = content[PrefixLength..(int)_offset];
            Assert.True(_first.AsSpan().StartsWith(stored) || _second.AsSpan().StartsWith(stored), $"{name}: the {stored.Length} bytes come from neither client alone.");
            Assert.True(!IsFirstAcknowledged || stored.AsSpan().SequenceEqual(_first), $"{name}: acknowledged bytes of the first client are missing.");
            Assert.True(!IsSecondAcknowledged || stored.AsSpan().SequenceEqual(_second), $"{name}: acknowledged bytes of the second client are missing.");
        }

        private static byte[] Bytes(Random random, int length)
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            return bytes;
        }
    }
}
