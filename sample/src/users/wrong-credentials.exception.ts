import { HttpStatus, UnauthorizedException } from '@nestjs/common';

/** One answer for an unknown user and for a wrong password: it must not tell who has an account. */
export class WrongCredentialsException extends UnauthorizedException {
  constructor() {
    super({
      statusCode: HttpStatus.UNAUTHORIZED,
      message: 'Wrong username or password.',
      error: 'Unauthorized',
      // Not one of the session's codes: the app asks again, and does not throw its token away.
      code: 'wrong_credentials',
    });
  }
}
