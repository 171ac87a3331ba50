using ResumableUploads.Benchmarks.Measuring;
using ResumableUploads.Benchmarks.Servers;

namespace ResumableUploads.Benchmarks.Cases;

/// <summary>A client that begins uploads, asks for something over and over, and takes them away again.</summary>
/// <param name="server">Who is asked.</param>
/// <param name="store">The server's directory.</param>
/// <param name="held">How many bytes there are of each of the client's uploads.</param>
internal sealed class GrowthSide(ServerProcess server, FilledStore store, long held)
{
    /// <summary>The most uploads that one measurement leaves behind.</summary>
    public const int MostLeft = Finished + Asking.Connections;

    private const int Piece = 1024;
    private const long Room = 1L << 30;

    private const int Finished = 50 * Asking.Connections;

    private static readonly byte[] Content = new byte[Piece];

    /// <summary>Each connection asks for the status of an upload of its own.</summary>
    public Asked Status(TimeSpan slice) => WithUploads(Asking.Connections, Room, names =>
    {
        Question[] questions = [.. names.Select(name => new Question(UploadProtocol.FileId.Status(name), held))];
        return Asking.Ask(server, slice, connection => questions[connection]);
    });

    /// <summary>Each connection sends piece after piece of an upload of its own.</summary>
    public Asked Append(TimeSpan slice) => WithUploads(Asking.Connections, Room, names =>
    {
        long[] offsets = [.. names.Select(_ => held)];
        return Asking.Ask(server, slice, connection =>
        {
            byte[] head = UploadProtocol.FileId.Append(names[connection], offsets[connection], Piece, held + Room);
            return new Question([.. head, .. Content], offsets[connection] += Piece);
        });
    });

    /// <summary>Each request is the last byte of another upload.</summary>
    public Asked Finish(TimeSpan slice) => WithUploads(MostLeft, 1, names =>
    {
        int next = 0;
        return Asking.Ask(
            server, slice, _ => new Question([.. UploadProtocol.FileId.Append(names[next++], held, 1, held + 1), 0], held + 1), Finished);
    });

    /// <summary>Each request is a whole file.</summary>
    public Asked Whole(TimeSpan slice) => WithUploads(0, 0, _ => Asking.Ask(
        server, slice, _ => new Question([.. UploadProtocol.FileId.Create(UploadProtocol.NewName(), Piece, Piece), .. Content], Piece), Finished));

    private Asked WithUploads(int count, long room, Func<string[], Asked> ask)
    {
        string[] names = [.. Enumerable.Range(0, count).Select(static _ => UploadProtocol.NewName())];
        foreach (string name in names)
        {
            store.Begin(name, held + room, held);
        }

        Asked asked = ask(names);
        store.Clear();
        return asked;
    }
}
