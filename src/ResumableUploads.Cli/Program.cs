using System.Text;
using ResumableUploads.Cli;

if (OperatingSystem.IsWindows())
{
    Console.OutputEncoding = Encoding.UTF8;
}

return (int)await Application.RunAsync(args);
