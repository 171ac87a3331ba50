using System.Net;
using System.Net.Sockets;

namespace ResumableUploads.Testing.Servers;

/// <summary>
/// A port of the loopback address, picked by the system, for a server that must know its port in advance or that listens on it repeatedly. On Linux, the port is
/// reserved until disposal: the system gives it to no other program that asks for any free port, but a program that asks for this port can listen on it.
/// </summary>
internal sealed class ReservedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReservedPort()
    {
        // The socket never listens. The runtime sets SO_REUSEADDR on a TCP socket, as servers do, so that both can be bound to the port.
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Number = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        if (!OperatingSystem.IsLinux())
        {
            _socket.Dispose();
        }
    }

    public int Number { get; }

    public void Dispose() => _socket.Dispose();
}
