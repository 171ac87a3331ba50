using System.Globalization;
using System.Net.Sockets;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>An upload of the draft whose server is killed again and again. Every interim response counts: what it has told is safe.</summary>
internal sealed class KilledIetfUpload(int number, byte[] source, int seed)
{
    private readonly Random _random = new(seed);
    private int _creations;
    private string? _url;

    public byte[] Source => source;

    /// <summary>The name of the file: another one each time that the upload is begun, because nobody knows what became of the one before.</summary>
    public string Name => $"upload-{number}-{_creations}-.bin";

    /// <summary>The largest number that the server has ever told.</summary>
    public long Told { get; private set; }

    /// <summary>How often progress was told before an answer.</summary>
    public int Interims { get; private set; }

    public bool IsDone { get; private set; }

    /// <summary>After a start of the server: nothing that was told is missing.</summary>
    public async Task<long> VerifyAsync(HttpClient client)
    {
        if (_url is null)
        {
            return 0;
        }

        (long offset, bool isComplete) = (await client.StateAsync(_url))!.Value;
        Assert.True(offset >= Told, $"{Name}: {Told} bytes were told to be safe, and {offset} are there.");
        Assert.True(!IsDone || isComplete, $"{Name} was finished, and is not.");
        Told = offset;
        return offset;
    }

    /// <summary>Sends all that is missing in one request, until it is answered or the server is gone. (The answer may be that the handler of a process
    /// that is dead still counts as running.)</summary>
    /// <param name="address">Where to.</param>
    /// <param name="offset">What the server has.</param>
    /// <param name="heard">Told of bytes as they are sent, and of each interim response (as 0 bytes).</param>
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
            // Killed. What was not told may be there or not.
        }
    }

    private async Task ReadAsync(RawConnection connection, Action<int> heard)
    {
        while (await connection.ReadResponseAsync(ChildHost.Patience) is { } response)
        {
            Assert.Contains(response.Status, new[] { 104, 200, 503 });
            Assert.Equal(response.Status switch { 104 => null, 200 => "?1", _ => "?0" }, response.Header("Upload-Complete"));
            IsDone = response.Status == 200;
            _url ??= response.Header("Location");
            if (response.Header("Upload-Offset") is { } offset)
            {
                Told = Math.Max(Told, long.Parse(offset, CultureInfo.InvariantCulture));
                Interims += response.Status == 104 ? 1 : 0;
            }

            heard(0);
            if (response.Status >= 200)
            {
                return;
            }
        }
    }
}
