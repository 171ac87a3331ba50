using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Random requests, each of whose answers a small model knows before.</summary>
public class RandomWalkTests
{
    private const int Largest = 120;

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    public async Task The_answers_to_500_random_requests_are_those_of_the_model(int seed, bool inMemory)
    {
        var random = new Random(seed);
        var model = new Model();
        await using TestApp app = await AppAsync(inMemory, static options => options.MaxUploadSize = Largest);
        for (int i = 0; i < 500; i++)
        {
            string id = "id" + random.Next(4);
            (long held, long? known) = model.Held(id);
            switch (random.Next(20))
            {
                case 0:
                    model.Uploads.Remove(id);
                    using (HttpResponseMessage gone = await app.Client.DeleteUploadAsync(id))
                    {
                        Assert.Equal(204, (int)gone.StatusCode);
                    }

                    break;
                case < 6:
                    Assert.Equal(held, await app.Client.StatusAsync(id));
                    break;
                default:
                    long start = random.Next(4) > 0 ? held : random.Next(Largest + 10);
                    long? size = random.Next(4) > 0 ? known ?? (random.Next(3) > 0 ? random.Next(Largest / 2, Largest) : null) : random.Next(Largest + 10);
                    byte[] body = new byte[random.Next(3) == 0 ? (int)Math.Max(0, (size ?? 0) - held) : random.Next(Largest / 3)];
                    random.NextBytes(body);
                    bool chunked = random.Next(2) == 0;
                    (int status, long? number) = model.Append(id, start, size, body, chunked);
                    using (HttpResponseMessage response = await app.Client.AppendAsync(id, start, chunked ? Chunked(body) : new ByteArrayContent(body), size))
                    {
                        string what = $"request {i}: {id} holds {held} of {known}; start {start}, size {size}, body {body.Length}, chunked {chunked}: {await response.Content.ReadAsStringAsync()}";
                        Assert.True(status == (int)response.StatusCode, $"{status} expected at {what}");
                        Assert.True(number is null || number.ToString() == response.Header("X-Start-Byte"), $"{number} expected at {what}");
                    }

                    break;
            }
        }

        Assert.NotEmpty(model.Finished);
        Assert.Equal(model.Finished, app.Finished.Select(static finished => finished.Content));
    }

    /// <summary>What the rules say, in a page. An answer's number is null where the rules name none.</summary>
    private sealed class Model
    {
        public Dictionary<string, (List<byte> Bytes, long? Size, bool Done)> Uploads { get; } = [];

        public List<byte[]> Finished { get; } = [];

        public (long Held, long? Size) Held(string id) => Uploads.TryGetValue(id, out var upload) ? (upload.Bytes.Count, upload.Size) : (0, null);

        public (int Status, long? Number) Append(string id, long start, long? size, byte[] body, bool chunked)
        {
            if (start > size)
            {
                return (400, null);
            }

            if (size > Largest || (!chunked && body.Length > (size ?? Largest) - start))
            {
                return (413, null);
            }

            bool exists = Uploads.TryGetValue(id, out (List<byte> Bytes, long? Size, bool Done) upload);
            long held = exists ? upload.Bytes.Count : 0;
            if (upload.Done)
            {
                return body.Length > 0 || (chunked && start != held) || start != held ? (409, held) : size is not null && size != held ? (400, held) : (200, held);
            }

            if (exists && size is not null && (size < held || (upload.Size is not null && upload.Size != size)))
            {
                return (400, held);
            }

            long room = (upload.Size ?? size ?? Largest) - held;
            if (start != held || (!chunked && body.Length > room))
            {
                return (start != held ? 409 : 413, held);
            }

            List<byte> bytes = [.. upload.Bytes ?? [], .. body.Take((int)room)];
            long? length = upload.Size ?? size;
            bool done = body.Length <= room && (length is null || bytes.Count == length);
            Uploads[id] = (bytes, length, done);
            if (done)
            {
                Finished.Add([.. bytes]);
            }

            return (body.Length > room ? 413 : 200, bytes.Count);
        }
    }
}
