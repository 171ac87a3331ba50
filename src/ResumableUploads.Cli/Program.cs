using System.Text;
using ResumableUploads.Cli;
using ResumableUploads.Cli.Running;

if (OperatingSystem.IsWindows())
{
    Console.OutputEncoding = Encoding.UTF8;
}

using var interrupts = new Interrupts();
return (int)await new Application(new CommandEnvironment(Console.Out, Console.Error, Environment.GetEnvironmentVariable)).RunAsync(args, interrupts.Pause);
