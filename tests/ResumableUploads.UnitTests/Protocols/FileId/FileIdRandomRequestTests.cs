using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Protocols.FileId;

/// <summary>Compares the responses to random requests with those of a small model.</summary>
public class FileIdRandomRequestTests
{
    private const int Largest = 120;

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    public async Task Responses_to_500_random_requests_match_the_model(int seed, bool inMemory)
    {
        var random = new Random(seed);
        var model = new Model();
        await using TestApp app = await AppAsync(inMemory, static options => options.MaxUploadSize = Largest);
        for (int i = 0; i < 500; i++)
        {
            string id = "id" + random.Next(4);
            (long offset, long? known) = model.GetState(id);
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
                    Assert.Equal(offset, await app.Client.StatusAsync(id));
                    break;
                default:
                    long start = random.Next(4) > 0 ? offset : random.Next(Largest + 10);
                    long? size = random.Next(4) > 0 ? known ?? (random.Next(3) > 0 ? random.Next(Largest / 2, Largest) : null) : random.Next(Largest + 10);
                    byte[] body = new byte[random.Next(3) == 0 ? (int)Math.Max(0, (size ?? 0) - offset) : random.Next(Largest / 3)];
                    random.NextBytes(body);
                    bool chunked = random.Next(2) == 0;
                    (int status, long? number) = model.Append(id, start, size, body, chunked);
                    using (HttpResponseMessage response = await app.Client.AppendAsync(id, start, chunked ? Chunked(body) : new ByteArrayContent(body), size))
                    {
                        string what = $"request {i}: {id} holds {offset} of {known}; start {start}, size {size}, body {body.Length}, chunked {chunked}: {await response.Content.ReadAsStringAsync()}";
                        Assert.True(status == (int)response.StatusCode, $"{status} expected at {what}");
                        Assert.True(number is null || number.ToString() == response.Header("X-Start-Byte"), $"{number} expected at {what}");
                    }

                    break;
            }
        }

        Assert.NotEmpty(model.Completed);
        Assert.Equal(model.Completed, app.Finished.Select(static finished => finished.Content));
    }

    /// <summary>The specification of the protocol as a model. The offset of a response is null if the specification does not define it.</summary>
    private sealed class Model
    {
        public Dictionary<string, (List<byte> Bytes, long? Size, bool Done)> Uploads { get; } = [];

        public List<byte[]> Completed { get; } = [];

        public (long Offset, long? Size) GetState(string id) => Uploads.TryGetValue(id, out var upload) ? (upload.Bytes.Count, upload.Size) : (0, null);

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
            long offset = exists ? upload.Bytes.Count : 0;
            if (upload.Done)
            {
                return body.Length > 0 || start != offset || (size is not null && size != offset) ? (409, offset) : (200, offset);
            }

            if (exists && size is not null && (size < offset || (upload.Size is not null && upload.Size != size)))
            {
                return (400, offset);
            }

            long remaining = (upload.Size ?? size ?? Largest) - offset;
            if (start != offset || (!chunked && body.Length > remaining))
            {
                return (start != offset ? 409 : 413, offset);
            }

            List<byte> bytes = [.. upload.Bytes ?? [], .. body.Take((int)remaining)];
            long? length = upload.Size ?? size;
            bool done = body.Length <= remaining && (length is null || bytes.Count == length);
            Uploads[id] = (bytes, length, done);
            if (done)
            {
                Completed.Add([.. bytes]);
            }

            return (body.Length > remaining ? 413 : 200, bytes.Count);
        }
    }
}
