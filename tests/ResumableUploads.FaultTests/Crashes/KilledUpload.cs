using System.Globalization;
using System.Net;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes;

/// <summary>An upload whose server is killed repeatedly, and the offsets that the client has received.</summary>
/// <param name="name">Its id and file name.</param>
/// <param name="source">The content.</param>
/// <param name="seed">Decides how the content is split into requests.</param>
internal sealed class KilledUpload(string name, byte[] source, int seed)
{
    private readonly Random _random = new(seed);
    private readonly bool _declaresSize = seed % 4 != 0;
    private long _acknowledged;

    public string Name => name;

    public byte[] Source => source;

    /// <summary>Gets the largest offset that the server has reported as durable.</summary>
    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    /// <summary>Gets the last offset that the client received in a response.</summary>
    public long LastReportedOffset { get; private set; }

    /// <summary>Gets whether the client has received the response of the completed upload.</summary>
    public bool IsDone { get; private set; }

    public void Acknowledge(long offset)
    {
        long known;
        while ((known = Acknowledged) < offset && Interlocked.CompareExchange(ref _acknowledged, offset, known) != known)
        {
        }
    }

    /// <summary>Verifies after a restart that no acknowledged byte is missing and that the stored bytes match the source.</summary>
    public async Task<long> VerifyAsync(HttpClient client, UploadDirectory directory)
    {
        long status = await client.StatusAsync(name);
        Assert.True(status >= Acknowledged, $"{name}: {Acknowledged} bytes were acknowledged, and {status} are stored.");
        if (await ReadDataAsync(directory) is { } bytes)
        {
            Assert.True(status == bytes.Length, $"{name}: the status is {status}, and {bytes.Length} bytes are on the disk.");
            Assert.True(bytes.AsSpan().SequenceEqual(source.AsSpan(0, bytes.Length)), $"{name}: what is on the disk is not what was sent.");
        }
        else if (status > 0)
        {
            Assert.True(status == source.Length, $"{name}: the content has gone at {status} of {source.Length} bytes.");
            directory.AssertFinished(name, source);
        }

        Acknowledge(status);
        LastReportedOffset = status;
        return status;
    }

    /// <summary>Returns the content of the data file, or null if it does not exist. The handler, which the first sweep may run, moves it.</summary>
    private async Task<byte[]?> ReadDataAsync(UploadDirectory directory)
    {
        while (true)
        {
            try
            {
                return directory.DataOf(name) is { } path ? await File.ReadAllBytesAsync(path) : null;
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // The next look finds what has become of it.
            }
        }
    }

    /// <summary>Sends until the upload is complete or the server is gone.</summary>
    /// <param name="client">The client.</param>
    /// <param name="offset">The current offset of the server.</param>
    /// <param name="sent">Called with the number of bytes sent, and with 0 for each response.</param>
    public async Task SendAsync(HttpClient client, long offset, Action<int> sent)
    {
        try
        {
            while (!IsDone)
            {
                bool wholeRest = !_declaresSize || _random.Next(3) == 0;
                int length = (int)Math.Min(source.Length - offset, wholeRest ? int.MaxValue : 1 + _random.Next(1 << _random.Next(6, 18)));
                using var body = new CountedContent(source.AsMemory((int)offset, length), _random.Next(), sent);
                using HttpResponseMessage response = await client.AppendAsync(
                    name, offset, body, _declaresSize ? source.Length : null, headers: ("X-File-Name", name));
                string text = await response.Content.ReadAsStringAsync();
                if (response.StatusCode == HttpStatusCode.ServiceUnavailable
                    && (text.Contains("still-completing", StringComparison.Ordinal) || text.Contains("handler-failed", StringComparison.Ordinal)))
                {
                    // The process that ran the handler is dead and its lease is not over yet, or a slow disk has delayed the renewal of the lease.
                    continue;
                }

                if (response.StatusCode == HttpStatusCode.ServiceUnavailable && text.Contains("storage-failed", StringComparison.Ordinal))
                {
                    // The disk of the server has lost power.
                    return;
                }

                Assert.True(response.StatusCode == HttpStatusCode.OK, $"{name}: {(int)response.StatusCode} at {offset}: {text}");
                long number = long.Parse(response.Header("X-Start-Byte")!, CultureInfo.InvariantCulture);
                Acknowledge(number);
                LastReportedOffset = number;
                Assert.Equal(offset + length, number);
                IsDone = response.Header("X-Upload-Complete") == "true";
                Assert.Equal(number == source.Length, IsDone);
                offset = number;
                sent(0);
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException or ObjectDisposedException)
        {
            // The server was killed. Unacknowledged bytes may or may not be stored.
        }
    }
}
