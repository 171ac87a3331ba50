using System.Globalization;
using System.Net.Sockets;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>An upload of the IETF draft whose server is killed repeatedly. Each offset in an interim response counts as acknowledged.</summary>
internal sealed class KilledIetfUpload(int number, byte[] source, int seed)
{
    private readonly Random _random = new(seed);
    private int _creations;
    private string? _url;

    public byte[] Source => source;

    /// <summary>Gets the file name. It changes each time the upload is created, because the result of the previous creation is unknown.</summary>
    public string Name => $"upload-{number}-{_creations}-.bin";

    /// <summary>Gets the largest offset that the server has reported.</summary>
    public long ReportedOffset { get; private set; }

    /// <summary>Gets the number of interim responses received.</summary>
    public int InterimResponses { get; private set; }

    public bool IsDone { get; private set; }

    /// <summary>Verifies after a restart that no reported byte is missing.</summary>
    public async Task<long> VerifyAsync(HttpClient client)
    {
        if (_url is null)
        {
            return 0;
        }

        (long offset, bool isComplete) = (await client.StateAsync(_url))!.Value;
        Assert.True(offset >= ReportedOffset, $"{Name}: {ReportedOffset} bytes were reported as durable, and {offset} are stored.");
        Assert.True(!IsDone || isComplete, $"{Name} was complete, but is not any more.");
        ReportedOffset = offset;
        return offset;
    }

    /// <summary>
    /// Sends the rest in one request until the server responds or is gone. The response may be that the handler of a dead process still counts as
    /// running.
    /// </summary>
    /// <param name="address">The address of the server.</param>
    /// <param name="offset">The current offset of the server.</param>
    /// <param name="heard">Called with the number of bytes sent, and with 0 for each interim response.</param>
    public async Task SendAsync(Uri address, long offset, Action<int> heard)
    {
        try
        {
            await using RawConnection connection = await RawConnection.OpenAsync(address);
            _creations += _url is null ? 1 : 0;
            await connection.SendHeadAsync(
                _url is null ? "POST /upload" : $"PATCH {_url}",
                [
                    "Upload-Draft-Interop-Version: 10",
                    "Upload-Complete: ?1",
                    $"Content-Length: {source.Length - offset}",
                    .. _url is null ? (string[])[$"Content-Disposition: attachment; filename={Name}"] : [$"Upload-Offset: {offset}", "Content-Type: application/partial-upload"],
                ]);
            Task reading = ReadAsync(connection, heard);
            for (int at = (int)offset; at < source.Length && !reading.IsCompleted;)
            {
                int length = Math.Min(source.Length - at, 1 + _random.Next(1 << _random.Next(8, 16)));
                await connection.SendAsync(source.AsMemory(at, length));
                at += length;
                heard(length);
            }

            await reading;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The server was killed. Unreported bytes may or may not be stored.
        }
    }

    private async Task ReadAsync(RawConnection connection, Action<int> heard)
    {
        while (await connection.ReadResponseAsync(ChildHost.Timeout) is { } response)
        {
            Assert.Contains(response.Status, new[] { 104, 200, 503 });
            Assert.Equal(response.Status switch { 104 => null, 200 => "?1", _ => "?0" }, response.Header("Upload-Complete"));
            IsDone = response.Status == 200;
            _url ??= response.Header("Location");
            if (response.Header("Upload-Offset") is { } offset)
            {
                ReportedOffset = Math.Max(ReportedOffset, long.Parse(offset, CultureInfo.InvariantCulture));
                InterimResponses += response.Status == 104 ? 1 : 0;
            }

            heard(0);
            if (response.Status >= 200)
            {
                return;
            }
        }
    }
}
